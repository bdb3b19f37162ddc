"""How German refuses."""

from cascade_core.refusals.language import Language

LANGUAGE = Language(
    script="latin",
    hints="""nichts erlauben kann könnte darf leider leid nicht keine keinen kein ablehnen verweigere lehne weigere
        möglich fürchte bedaure nur verstößt widerspricht außerhalb unmöglich außerstande lieber
        sprachmodell ki werde möchte weiß keinerlei ahnung""",
    parts={
        "ai": r"(?:ein(?:e|en)? )?(?:rein(?:e|es)? |virtueller? |digitaler? )*(?:ki(?:-\w+)?|künstliche intelligenz|(?:ki-|großes )?sprachmodell"
        r"|assistent(?:in)?|chatbot|bot|maschine|computerprogramm|modell|ki-assistent(?:in)?)",
        "can": r"(?:kann|könnte|darf|werde|möchte|will|sollte|muss)",
        "do": r"(?:\w*helfen|weiterhelfen|beantworten|antworten|unterstützen|geben|\w*weitergeben|herausgeben|preisgeben|bereitstellen|liefern|nennen"
        r"|erfüllen|nachkommen|entsprechen|erstellen|schreiben|verfassen|generieren|erzeugen|teilen|diskutieren|besprechen|sprechen|reden|äußern"
        r"|eingehen|öffnen|zugreifen|abrufen|ausführen|durchführen|bearbeiten|verarbeiten|tun|machen|dienen|anbieten|erteilen|empfinden|fühlen|fortfahren|weitermachen"
        r"|sagen|beurteilen|bestätigen|überprüfen|einsehen|(?:bilder|fotos|dateien) sehen|offenlegen|beraten|mitteilen|auskunft|zustimmen|mitwirken|beitragen|übernehmen|ausdrücken|haben|behilflich sein|umsetzen|befolgen|befürworten|kommentieren|vorhersagen|erklären|zeigen|unternehmen|stellen|verbinden|zugreifen)",
        "rules": r"(?:\w*richtlinien|regeln|grundsätzen?|prinzipien|vorgaben|programmierung|werten?|\w*bestimmungen|nutzungsbedingungen|leitlinien)",
        "gap": r"(?: (?:[^\s,;]+)){0,9}?",
    },
    apologies=r"""
        (?:es |das )?tut mir (?:wirklich |sehr |furchtbar |aufrichtig |schrecklich )?leid(?! ?,? dass)|(?:sorry|verzeihung|pardon)(?! für)|(?:ich bitte (?:vielmals )?um |bitte )?(?:entschuldigung|verzeihung|entschuldigen sie(?: bitte)?(?! die)|entschuldige(?: bitte)?(?! die)|verzeihen sie|verzeih)(?! für)
        ich (?:fürchte|bedaure(?: sehr)?|muss (?:ihnen|dir) (?:leider )?mitteilen)(?:,? dass)?(?!,? ja)|ich entschuldige mich(?! für)|zu meinem bedauern
        leider|bedauerlicherweise|unglücklicherweise|derzeit|momentan|im moment|ehrlich gesagt|bei allem respekt
        als (?:rein(?:e|es) )?<ai>(?: (?:von|der) [\w ]{1,30})?(?=,| (?:kann|habe|bin|darf|besitze|verfüge|ist|fehlt|werde|möchte))|da ich (?:nur |lediglich )?<ai> bin
    """,
    leads=r"""
        aber|jedoch|daher|deshalb|also|und|doch|allerdings|denn|somit|folglich|deswegen
        hallo|guten tag|hi|nein|hm+|äh+m?|oh|ach|na ja|tja
        um ehrlich zu sein|aus (?:sicherheitsgründen|rechtlichen gründen|datenschutzgründen|ethischen gründen)|offen gestanden
    """,
    prefaces=r"""
        (?:vielen |herzlichen |besten )?dank|danke
        ich (?:verstehe|weiß,? dass|schätze|sehe|kann (?:gut |gut nach|nach)?(?:verstehen|vollziehen|nachvollziehen)|würde (?:dir|ihnen|gern)|erkenne|respektiere)
        (?:obwohl|auch wenn|wenngleich|so gern|so gerne)|das ist eine? (?:sehr )?(?:gute|interessante|spannende|wichtige|schwierige)
        (?:bezüglich|zu deiner|zu ihrer|was|hinsichtlich)|(?:ihre|deine) (?:frage|anfrage|bitte)
        (?:es )?tut mir(?: \w+)? leid|aufgrund|gemäß|gerne würde ich|mir ist bewusst
    """,
    refusals=r"""
        (?:dabei|damit|das|dies|hierbei|hier|darüber|dazu|darauf|dafür|so etwas|sowas|davon|zu [^,;]{1,60}|bei [^,;]{1,60}|(?:diese|solche|derartige|deine|ihre|eine|die|den|dem|über|auf|mit|für)\w* [^,;]{1,70}?) (?:<can>) ich(?:<gap>) (?:nicht|nichts|keine?\w*|kaum)(?:<gap>) (?:<do>)
        ich (?:<can>)(?:<gap>) (?:nicht|keine?\w*|nichts)(?:<gap>) (?:<do>)|(?:<can>) ich(?:<gap>) (?:nicht|keine?\w*|nichts)(?:<gap>) (?:<do>)|(?:<can>)(?: aber| jedoch)? (?:keine?\w*|nicht)(?:<gap>) (?:herausgeben|weitergeben|helfen|geben|nennen|mitteilen|beantworten|erfüllen)
        ich(?:<gap>) nicht(?:<gap>) (?:<do>) (?:<can>)|ich(?:<gap>) keine?\w*(?:<gap>) (?:<do>) (?:<can>)
        (?:ich bin|bin ich|ich sehe mich)(?:<gap>) (?:nicht (?:in der lage|imstande|befugt|berechtigt|autorisiert|dafür|dazu|programmiert|ermächtigt|qualifiziert|fähig|darauf)|außerstande|unfähig)
        (?:(?:das|dies|es) ist mir|ist es mir|mir ist es|es ist mir)(?:<gap>) (?:nicht (?:möglich|erlaubt|gestattet)|unmöglich|untersagt)
        (?:ich (?:muss|werde|möchte)|muss ich|werde ich|(?:muss|werde|möchte) (?:das|dies|diese)\w*)(?:<gap>) (?:ablehnen|verweigern|zurückweisen|absehen|passen)|ich (?:lehne|verweigere|weigere mich)
        (?:ich (?:möchte|will|würde)|(?:darüber|dazu|das|hierüber|davon|so etwas) (?:möchte|will|werde|würde|rede|spreche|schreibe) ich)(?:<gap>) (?:lieber |eher )?(?:nicht|nichts)(?:<gap>)(?: (?:sprechen|schreiben|reden|äußern|sagen|eingehen|diskutieren|beantworten|helfen|unterstützen|teilnehmen|kommentieren))?
        (?:das|dies|es|dein\w*|ihr\w*|diese\w*|solche\w*|die|der)(?: \w+){0,3} (?:verstößt|verstoßen|widerspricht|widersprechen|verletzt|liegt|geht|fällt|ist|steht)(?: gegen| außerhalb| nicht mit| im widerspruch zu| über| nicht in| nicht im)? ?(?:meine[rns]?|unsere[rns]?|das hinaus|den|mein)(?: \w+){0,2}? ?(?:<rules>|möglichkeiten|fähigkeiten|rahmen|kenntnisse|zuständigkeit\w*|aufgaben\w*|was ich)
        (?:meine|unsere) <rules> (?:erlauben|gestatten|verbieten|untersagen|hindern|lassen)
        (?:das|dies|es) ist (?:leider )?(?:nichts|kein(?:e)? \w+|nicht etwas)(?:, (?:das|wobei|womit|bei dem|bei der|worüber|was|zu dem|mit dem))? ?(?:ich|mir)
        (?:ich habe|habe ich|ich besitze|besitze ich|ich verfüge|verfüge ich|mir (?:liegen|fehlen|fehlt|stehen)|mir liegt|dazu fehlen mir|dazu liegen mir|es fehlen mir|dazu habe ich|darüber habe ich)(?: (?:leider|als \w+|über|derzeit|momentan|dazu|hierzu|dafür|darüber|selbst|hier|aktuell))*(?: (?:nicht|keine?\w*|die|keinerlei|der|zu wenig|nicht genügend|nicht|nicht genug|genug|nicht ausreichend\w*|genügend|ausreichend\w*|eigene\w*|persönliche\w*|direkte\w*|nötigen|notwendigen|erforderlichen|nähere\w*))* (?:zugriff|zugang|informationen|daten|angaben|kontext|details|kenntnis\w*|wissen|fähigkeit|meinung\w*|gefühle\w*|emotionen|bewusstsein|vorlieben|überzeugungen|erfahrungen|erinnerung\w*|befugnis|berechtigung|möglichkeit|ahnung|antwort)
        (?:ich bin|bin ich)(?: ja| leider)? (?:nur|lediglich|bloß|einfach nur) <ai>|ich bin <ai>(?:,| und)(?: daher)? (?:ich )?(?:kann|habe|besitze|verfüge|darf)
        (?:das |dies )?weiß ich(?: leider| auch| selbst)* (?:nicht|auch nicht)|ich weiß(?: es| das| die antwort)?(?: leider)? nicht(?!,? (?:wie (?:es|sie|du|ihr)|ob (?:du|sie|ihr|es dir)|was (?:du|sie|ihr)))|(?:ich habe )?(?:leider )?keine ahnung|(?:da|das) bin ich (?:leider )?überfragt|ich bin (?:mir )?(?:da |leider )*(?:nicht sicher|überfragt)
        es (?:wäre|ist) (?:unangemessen|unethisch|unverantwortlich|nicht angemessen|nicht angebracht|nicht ethisch|unangebracht)|(?:anfrage|zugriff) (?:abgelehnt|verweigert)
        (?:die|der) (?:bereitgestellten?|vorliegenden?|angegebene\w*) (?:\w+ )(?:enthalten|enthält|reichen)(?:<gap>) (?:keine|nicht)
    """,
    weak=r"""
        (?:ich|das|dies|es|da|dabei|damit)? ?(?:<can>) (?:ich )?(?:<gap>)(?:nicht|keine?\w*)(?!(?:<gap>) (?:warten|teilnehmen|kommen|dabei sein|erwarten|anders|annehmen|genug|erkennen|finden|mehr erwarten))(?=$|,| \w)
    """,
    not_after=r"noch (?:nicht|keine?\w*)|(?:nicht genug|genug) (?:empfehl|beton|lob|dank|hervorheb|unterstreich)\w+|kaum erwarten|nicht anders|nicht oft genug|(?:an der|am|zum|zur) (?:\w+ ){0,3}(?:teilnehmen|kommen)",
    contrasts="aber|jedoch|allerdings|sondern|doch|dafür",
    offers=r"""
        (?:ich|gerne?|wir) (?:kann|könnte|helfe|würde|bin|stehe|biete|empfehle|versuche|freue|unterstütze|rate|darf|muss|verstehe|schlage|werde|habe|gebe|beantworte|erkläre|möchte|will|kann)
        (?:gerne?|wenn|falls|bei|bitte|vielleicht|kann ich|zögern|lassen sie|lass|sag|das|es|dies|nur|nicht|danke|stattdessen|auch|unterstütze|helfe|rate|empfehle|was ich)
        (?:sie|du) (?:können|kannst|sollten|solltest|könnten|könntest)(?: \w+){0,4} (?:wenden|fragen|kontaktieren|konsultieren|sprechen|aufsuchen|umformulieren)
    """,
    helps=r"hier (?:ist|sind)",
)
