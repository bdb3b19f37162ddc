"""How German refuses."""

from cascade_core.refusals.language import Language

LANGUAGE = Language(
    script="latin",
    hints="""einzelheiten gehört gehören anwältin
        hindern hindert verbieten unverantwortlich unangemessen hinaus erinnere konnte unethisch
        fehlt fehlen übersteigt überschreitet unwohl dürfen genug genügend ausreichend überfragt verboten untersagt absehen nein sehe
        nichts erlauben kann könnte darf leider leid nicht keine keinen kein ablehnen verweigere lehne weigere
        möglich fürchte bedaure nur verstößt widerspricht außerhalb unmöglich außerstande lieber
        sprachmodell ki werde möchte weiß keinerlei ahnung""",
    parts={
        "felt": r"(?:(?<!bilder )(?<!fotos )(?<!dateien )sehen|warten|erwarten|glauben|fassen|kommen|teilnehmen|dabei|finden|erkennen|danken|vergessen|leiden|ausstehen|annehmen|sein|bleiben|schlafen|leben|verlieren|gehen|vorstellen|beklagen|empfehlen|treffen|begleiten|erinnern|anders|denken|entdecken)\b",
        "ai": r"(?:ein(?:e|en)? )?(?:rein(?:e|es)? |virtueller? |digitaler? )*(?:ki(?:-\w+)?|künstliche intelligenz|(?:ki-|großes )?sprachmodell"
        r"|assistent(?:in)?|chatbot|bot|maschine|computerprogramm|modell|ki-assistent(?:in)?)",
        "can": r"(?:kann|könnte|darf|werde|möchte|will|sollte|muss)",
        "do": r"(?:surfen|recherchieren|suchen|übersetzen|kontaktieren|anrufen|buchen|stornieren|löschen|senden|schicken|berechnen|bewerten|garantieren|\w*helfen|weiterhelfen|beantworten|antworten|unterstützen|geben|\w*weitergeben|herausgeben|preisgeben|bereitstellen|liefern|nennen"
        r"|erfüllen|nachkommen|entsprechen|erstellen|schreiben|verfassen|generieren|erzeugen|teilen|diskutieren|besprechen|sprechen|reden|äußern"
        r"|eingehen|öffnen|zugreifen|abrufen|ausführen|durchführen|bearbeiten|verarbeiten|tun|machen|dienen|anbieten|erteilen|empfinden|fühlen|fortfahren|weitermachen"
        r"|sagen|beurteilen|bestätigen|überprüfen|einsehen|(?:bilder|fotos|dateien) sehen|offenlegen|beraten|mitteilen|auskunft|zustimmen|mitwirken|beitragen|übernehmen|ausdrücken|haben|behilflich sein|umsetzen|befolgen|befürworten|kommentieren|vorhersagen|erklären|zeigen|unternehmen|stellen|verbinden|zugreifen)",
        "rules": r"(?:\w*richtlinien|regeln|grundsätzen?|prinzipien|vorgaben|programmierung|werten?|\w*bestimmungen|nutzungsbedingungen|leitlinien)",
        "gap": r"(?: (?:[^\s,;]+)){0,9}?",
    },
    apologies=r"""
        ich muss (?:ihnen|dir|euch) (?:leider )?(?:sagen|mitteilen|gestehen),? dass(?= ich)
        (?:es |das )?tut mir (?:wirklich |sehr |furchtbar |aufrichtig |schrecklich )?leid(?! ?,? dass)|(?:sorry|verzeihung|pardon)(?! für)|(?:ich bitte (?:vielmals )?um |bitte )?(?:entschuldigung|verzeihung|entschuldigen sie(?: bitte)?(?! die)|entschuldige(?: bitte)?(?! die)|verzeihen sie|verzeih)(?! für)
        ich (?:fürchte|bedaure(?: sehr)?|muss (?:ihnen|dir) (?:leider )?mitteilen)(?:,? dass)?(?!,? ja)|ich entschuldige mich(?! für)|zu meinem bedauern
        leider|bedauerlicherweise|unglücklicherweise|derzeit|momentan|im moment|ehrlich gesagt|bei allem respekt
        als (?:rein(?:e|es) )?<ai>(?: (?:von|der) [\w ]{1,30})?(?=,| (?:kann|habe|bin|darf|besitze|verfüge|ist|fehlt|werde|möchte))|da ich (?:nur |lediglich )?<ai> bin
        (?:ich )?(?:bedaure|bedauere|bedauern?)(?: es)?(?: sehr| zutiefst)?(?:,? dass)?|mit bedauern|so leid es mir tut|es ist mir unangenehm|(?:ich )?bitte (?:\w+ )?um (?:verständnis|nachsicht|verzeihung)
        (?:es |das )?tut mir (?:\w+ )?leid(?! ?,? dass)
        (?:entschuldigen sie|entschuldige|verzeihen sie|sorry für|entschuldigung für|verzeihung für|ich entschuldige mich für)(?: bitte)? (?:die|das|den) (?:verwirrung|unannehmlichkeiten?|missverständnis|umstände)
    """,
    leads=r"""
        (?:hallo|hi|guten tag|liebe[r]?),? [^\s,;]{1,20}(?=, \w)
        aber|jedoch|daher|deshalb|also|und|doch|allerdings|denn|somit|folglich|deswegen
        hallo|guten tag|hi|nein|hm+|äh+m?|oh|ach|na ja|tja
        um ehrlich zu sein|aus (?:sicherheitsgründen|rechtlichen gründen|datenschutzgründen|ethischen gründen)|offen gestanden
        (?:mit |bei )?(?:gutem|guten) gewissens?|offen gesagt
    """,
    prefaces=r"""
        (?:vielen |herzlichen |besten )?dank|danke
        ich (?:verstehe|weiß,? dass|schätze|sehe|kann (?:gut |gut nach|nach)?(?:verstehen|vollziehen|nachvollziehen)|würde (?:dir|ihnen|gern)|erkenne|respektiere)
        (?:obwohl|auch wenn|wenngleich|so gern|so gerne)|das ist eine? (?:sehr )?(?:gute|interessante|spannende|wichtige|schwierige)
        (?:bezüglich|zu deiner|zu ihrer|was|hinsichtlich)|(?:ihre|deine) (?:frage|anfrage|bitte)
        (?:es )?tut mir(?: \w+)? leid|aufgrund|gemäß|gerne würde ich|mir ist bewusst
        ohne (?:zugriff|zugang|weitere|diese|ihre|deine|die)|um (?:ihre|deine|die)|(?:da|weil) (?:ich|das|dies|es|die|diese)|sie haben recht|du hast recht|mir ist (?:klar|bewusst)|ich (?:kann (?:mir )?vorstellen|sehe|höre)|so gern|zum schutz|wegen
        (?:die|der|das|den|diese\w*|dein\w*|ihr\w*) (?:\w+ )?(?:dokumente?n?|texte?|kontext|quellen?|informationen|dateien?|abschnitte?|artikel|auszüge?|handbuch|unterlagen|daten)\b
        (?:sehr )?(?:gute|interessante|spannende|schöne) (?:frage|idee)
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
        (?:das |dies )?weiß ich(?: leider| auch| selbst)* (?:nicht|auch nicht)|ich weiß(?: es| das| die antwort)?(?: leider)? nicht(?!,? (?:wie (?:es|sie|du|ihr)|ob (?:du|sie|ihr|es dir)|was (?:du|sie|ihr)))|(?:ich habe )?(?:leider )?keine ahnung|(?:da|das) bin ich (?:leider )?überfragt|ich bin (?:mir )?(?:da |leider )*(?:nicht sicher(?!,? (?:ob|wann|wie viel|welche[sr]?))|überfragt)
        es (?:wäre|ist) (?:unangemessen|unethisch|unverantwortlich|nicht angemessen|nicht angebracht|nicht ethisch|unangebracht)|(?:anfrage|zugriff) (?:abgelehnt|verweigert)
        (?:die|der) (?:bereitgestellten?|vorliegenden?|angegebene\w*) (?:\w+ )(?:enthalten|enthält|reichen)(?:<gap>) (?:keine|nicht)
        (?:da|hiermit|dort|bei so etwas|in diesem fall|an dieser stelle)(?: \w+)? (?:<can>) ich(?:<gap>) (?:nicht|nichts|keine?\w*)(?:<gap>) (?:<do>)
        ich (?:kann|darf)(?: (?:leider|aber|auch|hier|daher|momentan|derzeit|selbst|als \S+))* (?:(?:über|auf|an|in|mit|zu|bei|für) )?(?:ihnen|dir|dich|ihr\w*|dein\w*|euer|eure\w*|diese\w*|solche\w*|derartige\w*|so etwas|sowas|dies|das)(?:<gap>) (?:nicht|nichts|keine?\w*)(?! (?:genug|oft genug))(?:<gap>) (?!<felt>)\w+(?:en|ern|eln|tun)
        ich (?:kann|darf)(?: (?:leider|aber|auch|hier|daher|momentan|derzeit))* (?:nicht|keine?\w*)(?: [^\s,;]+){0,3}? (?:ihr\w*|dein\w*|diese\w*|solche\w*|bilder|fotos|dateien|links|zahlungen|anrufe|buchungen|termine|rückerstattungen|erstattungen|e-mails|nachrichten)(?:<gap>) (?!<felt>)\w+(?:en|ern|eln|tun)
        (?:kann|darf) ich (?:(?:ihnen|dir|dich|sie|ihr\w*|dein\w*|diese\w*|leider|auch|daher|aber) )*(?:nicht|keine?\w*)(?: [^\s,;]+){0,5}? (?!<felt>)\w+(?:en|ern|eln)
        ich (?:werde|würde)(?:<gap>) (?:nicht|keine?\w*)(?:<gap>) (?!<felt>)\w+ (?:können|dürfen)|ich werde(?: \w+)? (?:nicht|keine?\w*)(?: [^\s,;]+){0,5}? (?:schreiben|helfen|erstellen|unterstützen|beantworten|mitmachen|verfassen|liefern|erzeugen|bereitstellen|ausführen|teilen|preisgeben)
        (?:(?:das|dies|diese\w*|ihre?\w*|deine?\w*)(?: [^\s,;]+){0,3} )?(?:muss|werde|möchte|will) ich(?:<gap>) (?:ablehnen|verweigern|zurückweisen|absehen|passen|verneinen|enthalten|ausschlagen)|ich (?:sehe davon ab|enthalte mich|muss (?:\w+ )?(?:nein sagen|passen))|da muss ich passen
        mir ist (?:\w+ )?(?:nicht (?:möglich|erlaubt|gestattet|wohl)|unwohl|unmöglich|untersagt|verboten|unangenehm)|ich fühle mich(?:<gap>) (?:nicht wohl|unwohl|nicht in der lage)|(?:dabei|damit) (?:ist mir|fühle ich mich) (?:nicht wohl|unwohl)
        es (?:gibt|liegen|stehen)(?: mir| hier| leider| dazu)* (?:nicht (?:genügend|genug|ausreichend)|zu wenige?|keine?|nicht ausreichend\w*|unzureichende) (?:\w+ )?\w*(?:informationen|daten|angaben|details)(?:,? um| vor|$)|die (?:\w+ )?(?:informationen|angaben|daten) reichen(?:<gap>) nicht
        (?:das|dies|es|dein\w*|ihr\w*|diese\w*|solche\w*)(?: [^\s,;]+){0,4}? (?:übersteigt|überschreitet|sprengt|liegt|geht|fällt|gehört|ist|verstößt|steht|widerspricht)(?: (?:leider|nicht|außerhalb|über|jenseits|gegen|zu|in|im|unter|weit|widerspruch))* (?:meine?\w*|dem,? was ich|das,? was ich|unsere?\w* <rules>)
        (?:das|dies|es)(?: \w+)? (?:ist|wäre) (?:\w+ )?(?:nichts|keine? \w+|nicht etwas),? ?(?:(?:bei|mit|zu|über|in|an|auf|für) )?(?:das|die|der|dem|den|was|wo\w+) (?:ich|mir)
        ich bin (?:\w+ )?nicht (?:in der (?:lage|position)|qualifiziert|ausgebildet|dafür|dazu|darauf|zuständig|befugt|berechtigt|autorisiert|bevollmächtigt|geschult|trainiert|konzipiert|die richtige|bereit)|ich bin nicht(?:<gap>) (?:ausgelegt|gedacht|gemacht|vorgesehen|qualifiziert|befugt|berechtigt)
        (?:ich habe|habe ich|ich besitze|besitze ich|ich verfüge|verfüge ich|mir|mir liegen|mir fehlt|mir fehlen|mir stehen|ich kenne|ich bekomme|ich sehe)(?: [^\s,;]+){0,4}? (?:nicht|keine?\w*|keinerlei|zu wenige?|fehlt|fehlen)(?: [^\s,;]+){0,4}? (?:\w*zugriff|\w*zugang|\w*information(?:en)?|\w*daten|\w*angaben|kontext|\w*details|\w*kenntnis\w*|\w*wissen|\w*fähigkeit(?:en)?|\w*meinung\w*|gefühle|\w*befugnis\w*|\w*berechtigung\w*|\w*möglichkeit(?:en)?|antwort|mittel|werkzeuge?|\w*einblick\w*|auskünfte|\w*qualifikation\w*|unterlagen|\w*historie|\w*verlauf|körper|erlaubnis)\b
        ich (?:verfüge|habe)(?: \w+)? (?:nicht|keinen?)(?: \w+)? über
        ich (?:möchte|würde|will|werde)(?: mich)?(?: [^\s,;]+){0,3}? lieber (?:nicht|nichts|keine?|darauf verzichten)|lieber (?:nicht|möchte ich)
        (?:das|dies|es|dein\w*|ihr\w*|diese\w*|solche\w*|sie)(?: [^\s,;]+){0,5}? (?:außerhalb|jenseits|übersteigt|überschreitet|sprengt|geht über|liegt über)(?: [^\s,;]+){0,5}? (?:hinaus|meine\w*|ich|mir),?(?: (?:was|über die|die|zu denen|das))? ?(?:ich|mir)?
        (?:meine|unsere|die) (?:\w+ )?(?:<rules>|anweisungen|entwickler|vorschriften)(?: \w+)? (?:hindern|verbieten|untersagen|erlauben|gestatten|verwehren|lassen|zwingen|verpflichten) (?:es )?(?:mich|mir|uns)
        es (?:wäre|ist) (?:\w+ )?(?:unverantwortlich|unangemessen|unethisch|unangebracht|gefährlich|fahrlässig|falsch|nicht richtig) ?(?:von mir|für mich|wenn ich)
        ich (?:erinnere mich|kann mich)(?: \w+)? (?:nicht|an keine?\w*|an nichts)|ich (?:speichere|behalte|merke)(?: mir)? (?:keine?\w*|nichts)
        ich (?:konnte|kann|finde|habe|sehe)(?: [^\s,;]+){0,6}? (?:nicht|keine?\w*|nichts)(?: [^\s,;]+){0,6}? (?:gefunden|finden|ermitteln|auffinden)$|ich (?:konnte|kann|finde|sehe)(?: [^\s,;]+){0,3}? (?:keine?\w*) (?:\w+ )?(?:\w*buchung\w*|\w*bestellung\w*|\w*information\w*|\w*antwort\w*|\w*angaben|\w*konto|\w*eintrag|\w*ergebnisse?|\w*hinweise?|\w*daten|\w*rechnung\w*|\w*abo)\b
        (?:diese\w*|solche\w*|so ein\w*|derartige\w*|ihre\w*|deine\w*|das|dies|so was)(?: [^\s,;]+){0,4}? (?:kann|darf|werde|möchte) ich(?:<gap>) (?:nicht|keine?\w*)(?:<gap>) (?!<felt>)\w+(?:en|ern|eln|tun)\b
        ich (?:habe|besitze)(?: [^\s,;]+){0,2}? (?:keine?\w*|keinerlei) (?:\w+ )?(?:werkzeuge?|mittel|funktion\w*|weg|einsicht|kenntnis)\b
        (?:ihre|deine|diese) (?:an)?frage (?:liegt|fällt) (?:\w+ )?außerhalb
        ich bin (?:keine?|weder)(?: \w+)? \w+(?:,| und| daher|, daher|;)+ (?:daher )?(?:ich )?(?:kann|darf|sollte|bin)|ich bin keine? (?:anw[aä]lt|ärzt|arzt|mensch|person|fachmann|fachfrau|therapeut|berater|psycholog|expert)\w*
        (?:ich habe|mir) (?:\w+ )?(?:nicht|fehlt|fehlen|keine)(?: [^\s,;]+){0,3}? (?:\w*befugnis|recht|vollmacht|kompetenz|\w*einzelheiten|autorität|zuständigkeit)\b
        (?:es gehört|gehört|das gehört|dies gehört|das fällt|das zählt)(?: [^\s,;]+){0,6}? nicht (?:zu|in|unter) (?:meine\w*|dem|den)
        ich (?:habe|kenne) (?:leider )?(?:die|den|das|ihre\w*|deine\w*) (?:aktuelle|genaue|exakte|neueste|vollständige|nötige|notwendige)\w* [^\s,;]+ nicht
        (?:dafür|dazu|darauf|hierfür|hierzu|damit|darin) bin ich(?: \w+)? nicht \w+
        (?:da|hier|dabei) muss ich(?: \w+)? passen
        ich kann nicht (?:im|auf das|ins) (?:internet|netz|web)
    """,
    weak=r"""
        (?:ich|das|dies|es|da|dabei|damit)? ?(?:<can>) (?:ich )?(?:<gap>)(?:nicht|keine?\w*)(?!(?:<gap>) (?:warten|teilnehmen|kommen|dabei sein|erwarten|anders|annehmen|genug|erkennen|finden|mehr erwarten))(?=$|,| \w)
        (?:[^\s,;]+ ){0,6}?(?:nicht|keine?\w*)(?:<gap>) (?!<felt>)(?:\w+ zu (?:können|dürfen)|\w+zukommen)
        (?:ich )?(?:[^\s,;]+ ){0,6}?(?:nicht|keine?\w*)(?: [^\s,;]+){0,4}? (?!<felt>)\w+en (?:kann|darf)
        ich (?!kann|darf|werde|glaube|denke|meine|bezweifle|finde|komme|bin|war|hatte|mag|habe (?:keine (?:zeit|einwände|lust|zweifel)|keinen (?:zweifel|einwand)))[^\W\d_]+(?:<gap>) (?:nicht|keine?\w*)(?! (?:warten|kommen))(?= |$)
        (?:habe|besitze|sehe|kenne|führe|stelle|erstelle|gebe|schreibe|mache|verfüge|empfinde|speichere) ich(?:<gap>) (?:nicht|keine?\w*)
        [^,;]{1,60}? [^\W\d_]+e ich(?: [^\s,;]+){0,3}? (?:nicht|keine?\w*|nie)(?= |$)
        [^,;]{1,60}?,? (?:ist|wäre) (?:etwas|nichts|eine sache),? (?:das|was|die|wobei) ich
        [^,;]{1,60}? (?:übersteigt|überschreitet|sprengt|liegt außerhalb|geht über)(?: [^\s,;]+){0,4}? (?:meine\w*|ich|mir|hinaus)
        (?:gehört|gehören|zählt|fällt)(?: [^\s,;]+){0,6}? nicht (?:zu|in|unter) (?:meine\w*|dem|den)
        (?:können|dürfen) wir(?: [^\s,;]+){0,5}? (?:nicht|keine?\w*)(?: [^\s,;]+){0,3}? (?:besprechen|diskutieren|sprechen|beantworten|helfen|weitergeben|preisgeben|kommentieren|verraten|offenlegen|beraten)|wir (?:können|dürfen)(?: [^\s,;]+){0,5}? (?:nicht|keine?\w*)(?: [^\s,;]+){0,3}? (?:besprechen|diskutieren|sprechen|beantworten|helfen|preisgeben|kommentieren|verraten|offenlegen)
        ich (?:kann|darf|werde|möchte|will)(?:<gap>) (?:nicht|keine?\w*)(?!(?:<gap>) (?:warten|teilnehmen|kommen|dabei sein|erwarten|anders|annehmen|genug|erkennen|finden|glauben|versprechen|entdecken|bleiben|gehen|sein))(?=$| )
        (?:ablehnen|verweigern) zu müssen|(?:das |dies )?(?:ablehnen|verweigern) muss
    """,
    not_after=r"(?:kann|weiß|habe|darf|ich) (?:\w+ ){0,2}noch (?:nicht|keine?\w*)|(?:nicht genug|genug) (?:empfehl|beton|lob|dank|hervorheb|unterstreich)\w+|kaum erwarten|nicht anders|nicht oft genug|(?:an der|am|zum|zur) (?:\w+ ){0,3}(?:teilnehmen|kommen)|(?:nicht|kaum) (?:sagen|beschreiben), wie (?:sehr|dankbar|froh)|(?:nicht|kaum) (?:glauben|fassen|abwarten|erwarten)|nicht genug (?:danken|loben|empfehlen)",
    contrasts="aber|jedoch|allerdings|sondern|doch|dafür",
    offers=r"""
        (?:ich|gerne?|wir) (?:kann|könnte|helfe|würde|bin|stehe|biete|empfehle|versuche|freue|unterstütze|rate|darf|muss|verstehe|schlage|werde|habe|gebe|beantworte|erkläre|möchte|will|kann)
        (?:gerne?|wenn|falls|bei|bitte|vielleicht|kann ich|zögern|lassen sie|lass|sag|das|es|dies|nur|nicht|danke|stattdessen|auch|unterstütze|helfe|rate|empfehle|was ich)
        (?:sie|du) (?:können|kannst|sollten|solltest|könnten|könntest)(?: \w+){0,4} (?:wenden|fragen|kontaktieren|konsultieren|sprechen|aufsuchen|umformulieren)
    """,
    helps=r"hier (?:ist|sind)",
)
