"""How Dutch refuses."""

from cascade_core.refusals.language import Language

LANGUAGE = Language(
    script="latin",
    hints="""advocaat details
        verbieden onverantwoord verder herinner kon ongepast onethisch verhinderen beletten
        beschik boven mogelijk toegestaan strijd genoeg voldoende ontbreekt ontbreken overschrijdt prettig verboden afzien passen overstijgt bevoegd
        onvoldoende niets kan mag spijt niet geen helaas weiger weigeren afwijzen bang staat slechts alleen liever
        onmogelijk taalmodel richtlijnen buiten weet idee excuses wil""",
    parts={
        "felt": r"(?:wachten|geloven|komen|zijn|vinden|bedanken|vergeten|uitstaan|aannemen|blijven|slapen|leven|verliezen|gaan|voorstellen|klagen|aanbevelen|bijwonen|herinneren|anders|denken|ontdekken|deelnemen|verwachten|meegaan)\b",
        "ai": r"(?:een )?(?:groot )?(?:ai(?:-\w+)?|kunstmatige intelligentie|taalmodel|(?:virtuele |digitale |ai-)?assistent|chatbot|bot|machine|computerprogramma|model)",
        "can": r"(?:kan|mag|zal|wil|zou|ga|kon)",
        "gap": r"(?: (?:[^\s,;]+)){0,9}?",
        "do": r"(?:surfen|zoeken|vertalen|bellen|boeken|annuleren|verwijderen|versturen|berekenen|beoordelen|garanderen|\w*helpen|beantwoorden|antwoorden|geven|verstrekken|delen|bieden|voldoen|maken|schrijven|opstellen|genereren|doorgaan|verdergaan|bespreken|praten|spreken|zeggen|doen"
        r"|openen|uitvoeren|verwerken|inzien|bekijken|zien|raadplegen|voelen|ervaren|hebben|meewerken|assisteren|ondersteunen|vertellen|bevestigen|controleren|verifiëren|voorspellen|adviseren|toegang|onthullen|vrijgeven|ingaan|uitlaten|meedoen|reageren|leveren|noemen|produceren|van dienst zijn|uitspraken?|inwilligen|uiten|afgeven|tonen|uitleggen|stellen|verbinden|raadplegen|uitspraak doen)",
        "rules": r"(?:\w*richtlijnen|\w*regels|\w*beleid|principes|waarden|programmering|voorwaarden|normen)",
    },
    apologies=r"""
        ik moet (?:u|je|jullie) (?:helaas )?(?:zeggen|meedelen|bekennen) dat(?= ik)
        (?:het |dat )?spijt (?:me|mij) (?:echt|oprecht|heel|zeer)(?: erg)?(?=,| maar)
        (?:het |dat )?spijt (?:me|mij)(?: zeer| heel erg| enorm| vreselijk| oprecht)?(?! (?:dat|voor|van|te horen))|(?:heel erg |echt )?sorry(?! (?:voor|dat|te))|(?:mijn |onze |veel )?(?:welgemeende |oprechte )?excuses(?! voor)|(?:ik )?(?:bied|vraag)(?: u| je)? (?:mijn |om )?(?:excuses|verontschuldiging\w*|vergeving)(?: aan)?|excuseer(?: mij| me)?|neem me niet kwalijk|pardon|vergeef me
        ik (?:ben bang|vrees|betreur)(?: dat)?(?! van wel)
        helaas|jammer genoeg|op dit moment|momenteel|eerlijk gezegd|met alle respect|spijtig genoeg
        als (?:een )?(?:louter )?<ai>(?: (?:van|ontwikkeld door|gemaakt door) \w+)?(?=,| (?:kan|heb|ben|mag|beschik|is|zal|wil))|(?:omdat|aangezien) ik (?:slechts |maar |alleen )?<ai> ben
        (?:het |dat )?spijt (?:me|mij)(?: \w+)?(?= (?:dat ik|u|je|om))(?: (?:u|je) te moeten (?:zeggen|meedelen|teleurstellen))?(?: dat(?= ik))?|met spijt|ik betreur(?: het)?(?: dat)?|tot mijn spijt|(?:ik )?moet (?:je|u) (?:helaas )?teleurstellen|vervelend genoeg
        (?:excuses|sorry|mijn excuses|pardon|excuseer) voor (?:de verwarring|het ongemak|het misverstand)
    """,
    leads=r"""
        (?:hallo|hoi|dag|beste|goedendag),? [^\s,;]{1,20}(?=, \w)
        maar|echter|dus|daarom|en|want|toch|omdat|daardoor|derhalve
        hallo|hoi|goedendag|nee|hm+|eh+|oh|tja|dag
        om eerlijk te zijn|om (?:veiligheidsredenen|juridische redenen|privacyredenen|ethische redenen)
        (?:met een gerust |in (?:goed )?)?geweten|eerlijk gezegd|op dit moment|voorlopig
    """,
    prefaces=r"""
        (?:hartelijk )?(?:bedankt|dank|dankjewel|dank u wel)|ik (?:begrijp|snap|waardeer|weet dat|zie|zou (?:je|u) graag|zou graag|wil je graag|hoor)
        (?:hoewel|ook al|al begrijp|ondanks)|dat is een (?:hele )?(?:goede|interessante|lastige|belangrijke)|wat een|(?:wat betreft|met betrekking|over)|(?:je|uw) (?:vraag|verzoek)|graag zou ik|vanwege|volgens
        zonder (?:toegang|meer|deze|die|je|uw|de)|om (?:je|uw|de)|(?:omdat|aangezien|daar) (?:ik|dit|dat|het|de|je|u)|(?:u|je) (?:heeft|hebt) gelijk|ik (?:snap|hoor|besef|kan me voorstellen)|ter bescherming
        (?:de|het|deze|die|dit|dat|je|uw) (?:\w+ )?(?:documenten|document|teksten|tekst|context|bronnen|bron|informatie|bestanden|bestand|passages?|artikel|artikelen|fragmenten|handleiding|gegevens)\b
        (?:heel )?(?:goede|interessante|mooie) (?:vraag|idee)|goed idee
    """,
    refusals=r"""
        (?:daar|daarbij|daarmee|dat|dit|hier|hierbij|hiermee|daarover|hierover|daarop|zoiets|zo'n [^,;]{1,50}|(?:die|deze|zulke|dergelijke|over|op|met|bij|aan|je|uw|een|het|de) [^,;]{1,70}?) (?:<can>) ik(?:<gap>) (?:niet|geen|niets|niks)(?:<gap>) (?:<do>)
        ik (?:<can>)(?:<gap>) (?:niet|geen|niets|niks)(?:<gap>) (?:<do>)|(?:<can>) ik(?:<gap>) (?:niet|geen|niets|niks)(?:<gap>) (?:<do>)|ik(?:<gap>) (?:niet|geen)(?:<gap>) (?:<can>)(?: \w+)? (?:<do>)|(?:<can>) (?:ook )?(?:geen|niet)(?:<gap>) (?:openen|geven|delen|beantwoorden|helpen)
        (?:ik ben|ben ik|ik voel me)(?:<gap>) (?:niet (?:in staat|bevoegd|gemachtigd|geprogrammeerd|ontworpen|bekwaam|gekwalificeerd|bereid|comfortabel|capabel)|onbekwaam)
        (?:het|dat|dit) is (?:voor )?(?:mij|me)(?:<gap>) (?:niet (?:mogelijk|toegestaan)|onmogelijk)|is het (?:voor )?(?:mij|me)(?:<gap>) (?:niet mogelijk|niet toegestaan|onmogelijk)
        (?:ik (?:moet|zal|wil)|moet ik|zal ik)(?:<gap>) (?:afwijzen|weigeren|afslaan|passen|bedanken|nee zeggen)|ik (?:weiger|wijs)
        ik (?:praat|spreek|doe|schrijf|ga|laat|zeg|bespreek|geef|help)(?:<gap>) liever (?:niet|geen)|ik (?:heb|wil|zou)(?:<gap>) liever (?:niet|geen)|(?:daar|daarover|hierover|dat)(?: \w+)? ik (?:het )?liever (?:niet|geen)|ik (?:wil|wens)(?:<gap>) niet(?:<gap>) (?:praten|spreken|schrijven|bespreken|beantwoorden|helpen|uitlaten|meewerken|over hebben)
        (?:dat|dit|het) is (?:helaas )?(?:niet iets|iets|geen (?:onderwerp|verzoek|vraag|zaak)|niks|niets)(?: (?:waar|waarbij|waarmee|wat|dat|waarover))(?: \w+){0,2}? ?(?:ik|mee|me)
        (?:dat|dit|het|je|uw|deze|die|zulke|een)(?: \w+){0,3} (?:gaat|druist|schendt|valt|is|strookt|past|overtreedt|ligt|botst)(?: \w+){0,2}? (?:in tegen|tegen|buiten|met|niet met|binnen|in strijd met|niet binnen|voorbij)? ?(?:mijn|onze|de)(?: \w+){0,2}? ?(?:<rules>|mogelijkheden|vermogen|kennis|bereik|kunnen|taken|expertise)
        (?:mijn|onze) <rules> (?:staan|laten|verbieden|verhinderen|beletten)
        (?:ik heb|heb ik|ik beschik|beschik ik|ik bezit|mij ontbreekt|daar heb ik|daarover heb ik)(?: (?:helaas|als \w+|over|momenteel|daar|hier|zelf|daarvoor|hiervoor|op dit moment))*(?: (?:niet|geen|de|onvoldoende|te weinig|over|genoeg|voldoende|de juiste|nodige|directe|persoonlijke|eigen|rechtstreekse|actuele))+ (?:toegang|informatie|gegevens|context|details|kennis|vermogen|mening\w*|gevoelens?|emoties|bewustzijn|voorkeuren|overtuigingen|ervaringen?|geheugen|toestemming|bevoegdheid|mogelijkheid|idee|antwoord)
        (?:ik ben|ben ik)(?: helaas)? (?:slechts|maar|alleen(?: maar)?|enkel|gewoon) <ai>|ik ben <ai>(?:,| en)(?: dus)? (?:ik )?(?:kan|heb|beschik)
        (?:dat |daar )?weet ik(?: helaas| ook| zelf)* niet|ik weet(?: het| dat| het antwoord)?(?: helaas| echt| eigenlijk)* niet(?! (?:zeker of|hoe (?:het|jouw|jullie|uw|jij|je|u)|wat (?:jij|je|u)|of (?:jij|je|u)))|(?:ik heb )?(?:helaas )?geen idee|ik (?:ben er|weet het) niet zeker(?! of)|ik zou het niet weten
        het (?:is|zou|zou \w+) (?:ongepast|onethisch|onverantwoord|niet gepast|niet ethisch|niet juist)|(?:verzoek|toegang) (?:geweigerd|afgewezen)
        (?:de|het) (?:verstrekte|gegeven|beschikbare) \w+ (?:bevat|bevatten|geeft)(?:<gap>) (?:geen|niet)
        (?:daar|daarbij|daarmee|hier|hierbij|hiermee|dat|dit|zoiets|in dit geval)(?: \w+)? (?:<can>) ik(?:<gap>) (?:niet|geen|niets|niks)(?:<gap>) (?!<felt>)\w+(?:en|aan|doen)\b
        ik (?:kan|mag)(?: (?:helaas|dus|ook|hier|daarom|momenteel|echter|als \S+))* (?:(?:over|op|aan|in|met|bij|voor) )?(?:u|je|jou\w*|uw|jullie|deze|dit|dat|die|zulke|dergelijke|zoiets|andermans)\b(?:<gap>) (?:niet|niets|geen)(?! (?:genoeg|vaak genoeg))(?:<gap>) (?!<felt>)\w+(?:en|aan|ien)\b
        ik (?:kan|mag)(?: (?:helaas|dus|ook|hier|daarom|momenteel|echter|als \S+))* (?:niet|geen)(?: [^\s,;]+){0,3}? (?:je|jouw|uw|deze|dit|dat|die|zulke|afbeeldingen|foto's|bestanden|links|betalingen|telefoontjes|boekingen|afspraken|terugbetalingen|e-mails|berichten)(?:<gap>) (?!<felt>)\w+(?:en|aan|ien)\b
        (?:kan|mag) ik (?:(?:u|je|jou|uw|jouw|deze|die|dit|dat|helaas|ook|dus|er|daar) )*(?:niet|geen)(?: [^\s,;]+){0,5}? (?!<felt>)\w+(?:en|aan|ien)\b
        ik (?:zal|zou)(?:<gap>) (?:niet|geen)(?:<gap>) kunnen (?!<felt>)\w+|ik (?:ga|zal)(?: \w+)? (?:niet|geen)(?: [^\s,;]+){0,5}? (?:schrijven|helpen|maken|ondersteunen|beantwoorden|meewerken|opstellen|leveren|genereren|verstrekken|uitvoeren|delen|prijsgeven)
        (?:(?:dat|dit|deze|die|uw|je)(?: [^\s,;]+){0,3} )?(?:moet|zal|wil) ik(?:<gap>) (?:afwijzen|weigeren|afslaan|passen|bedanken|onthouden|afzien)|ik (?:zie ervan af|zie daarvan af|onthoud me|moet (?:\w+ )?(?:nee zeggen|passen|afzien))
        (?:het|dat|dit|mij|me)? ?is (?:het )?(?:voor )?(?:mij|me) (?:\w+ )?(?:niet (?:mogelijk|toegestaan|gegeven)|onmogelijk|verboden)|(?:het is |is het )?(?:mij|me) (?:niet toegestaan|verboden)|ik word (?:niet )?geacht|het is niet aan mij|er is niets (?:dat|wat) ik|ik heb geen manier
        ik voel (?:me|mij)(?:<gap>) (?:niet (?:prettig|comfortabel|op mijn gemak|goed|bekwaam)|ongemakkelijk|oncomfortabel)|(?:daar|hier)(?: \w+)? voel ik me (?:niet|ongemakkelijk)
        er (?:is|zijn|staat|staan)(?: hier| helaas)* (?:niet (?:genoeg|voldoende)|te weinig|onvoldoende|geen) (?:\w+ )?(?:informatie|gegevens|details|context)(?: \w+){0,4}? (?:om|beschikbaar)|de (?:\w+ )?(?:informatie|gegevens) (?:is|zijn) (?:onvoldoende|niet voldoende)
        (?:dat|dit|het|je|uw|deze|die|zulke)(?: [^\s,;]+){0,4}? (?:gaat|valt|ligt|is|druist|overstijgt|overschrijdt|behoort|hoort|staat)(?: (?:helaas|niet|buiten|boven|in|tot|tegen|voorbij|strijd|met|ver|binnen))* (?:mijn\b|wat ik|ons <rules>|onze <rules>)
        (?:dat|dit|het) is (?:\w+ )?(?:niet iets|iets|niets|geen \w+) (?:waar\w*|wat|dat|die) (?:ik|mee ik)
        ik ben(?: \w+)? niet (?:in (?:staat|de positie)|gekwalificeerd|opgeleid|bevoegd|gemachtigd|geautoriseerd|ontworpen|geprogrammeerd|getraind|bedoeld|gemaakt|bereid|degene|de juiste)
        (?:ik heb|heb ik|ik beschik|beschik ik|ik bezit|ik ken|mij|me|ik zie)(?: [^\s,;]+){0,4}? (?:niet|geen|onvoldoende|te weinig|ontbreekt|ontbreken)(?: [^\s,;]+){0,4}? (?:\w*toegang|\w*informatie|\w*gegevens|context|\w*details|\w*kennis|vermogen|vaardigheid|\w*mening\w*|gevoelens|\w*bevoegdheid|\w*mogelijkheid|\w*mogelijkheden|antwoord|middelen|\w*inzicht|\w*inzage|\w*geschiedenis|kwalificaties|toestemming|lichaam|zicht)\b|ik beschik(?: \w+)? niet
        ik weet (?:\w+ ){1,6}?niet$(?<!hoe het met jou zit niet)
        ik (?:laat|zou|wil|geef|doe|spreek|houd|hou|schrijf|ga)(?: [^\s,;]+){0,4}? liever (?:niet|niets|geen)|liever niet
        (?:dat|dit|het|je|uw|deze|die|zulke)(?: [^\s,;]+){0,5}? (?:buiten|verder dan|boven|voorbij|overstijgt|overschrijdt)(?: [^\s,;]+){0,5}? (?:ik|mijn|me|mij)\b|(?:dat|dit|het|die|deze \w+|uw \w+|je \w+) gaat verder dan
        (?:mijn|onze|de) (?:\w+ )?(?:<rules>|instructies|ontwikkelaars|makers)(?: \w+)? (?:verbieden|verhinderen|beletten|weerhouden|staan|laten|verplichten|dwingen) (?:het )?(?:me|mij|ons|niet toe|dat ik)
        het (?:zou|is) (?:\w+ )?(?:onverantwoord|ongepast|onethisch|gevaarlijk|onjuist|roekeloos|oneerlijk|niet juist)(?: zijn)? ?(?:van mij|voor mij|als ik|om)
        ik (?:herinner|kan)(?: me| mij)(?: [^\s,;]+){0,5}? (?:niet|niets|geen)|ik (?:onthoud|bewaar)(?: [^\s,;]+){0,4}? (?:niet|niets|geen)
        ik (?:kon|kan|vind|heb|zie)(?: [^\s,;]+){0,6}? (?:niet|niets)(?: [^\s,;]+){0,6}? (?:gevonden|vinden|terugvinden|achterhalen)$|ik (?:kon|kan|vind|zie)(?: [^\s,;]+){0,3}? geen (?:\w+ )?(?:boeking|reservering|bestelling|informatie|antwoord|vermelding|account|details|verwijzing|resultaten|gegevens|factuur|abonnement)\b
        (?:die|deze|zulke|dergelijke|dat|dit|uw|je|zoiets)(?: [^\s,;]+){0,4}? (?:kan|mag|zal|ga|wil) ik(?:<gap>) (?:niet|geen)(?:<gap>) (?!<felt>)\w+(?:en|aan|ien|doen)\b
        ik (?:heb|bezit)(?: [^\s,;]+){0,2}? geen (?:\w+ )?(?:hulpmiddel\w*|middel\w*|functie|manier|inzage|kennis|tools?)\b
        ik ben (?:geen|noch)(?: \w+)? \w+(?:,| en| dus|, dus|;)+ (?:dus )?(?:ik )?(?:kan|mag|ben)|ik ben geen (?:advocaat|arts|dokter|mens|persoon|professional|therapeut|adviseur|psycholoog|expert|jurist)\w*
        ik heb (?:\w+ )?(?:niet|geen)(?: [^\s,;]+){0,3}? (?:bevoegdheid|recht|volmacht|autoriteit|gezag)\b
        (?:het|dat|dit) (?:hoort|behoort|valt)(?: [^\s,;]+){0,6}? niet (?:tot|bij|onder|binnen) mijn
        (?:dat|dit|het|je|uw|deze|die|zulke)(?: [^\s,;]+){0,4}? (?:in strijd met|tegen|strijdig met) (?:mijn|ons|onze|het|de) (?:\w+ )?(?:<rules>|\w*beleid)
        ik (?:heb|ken) (?:helaas )?(?:de|het|uw|je) (?:actuele|huidige|exacte|precieze|nieuwste|volledige|benodigde) [^\s,;]+ niet
        (?:daar|hier|daarvoor|hiervoor|daartoe)(?: \w+)? ben ik(?: \w+)? niet (?:\w+ )?\w+
        ik (?:gok|raad|schat|speculeer|beoordeel|bemoei|meng|waag|oordeel)(?: [^\s,;]+){0,4}? liever (?:niet|niets|geen)
        (?:daar|hier|hiervoor|daarvoor) moet ik(?: \w+){0,3}? passen
    """,
    weak=r"""
        (?:ik|dat|dit|daar|hier)? ?(?:<can>) (?:ik )?(?:[^\s,;]+ ){0,4}?(?:niet|geen)(?!(?:<gap>) (?:wachten|aanwezig|komen|bij zijn|zijn|genoeg|doen dat|aannemen|vinden))(?=$|,| \w)|ik(?: [^\s,;]+){0,5} niet (?:kan|mag)(?: \w+)?
        (?:dat )?ik(?: [^\s,;]+){0,6}? (?:niet|geen)(?: [^\s,;]+){0,4}? (?:kan|mag) (?!<felt>)\w+(?:en|aan|ien)\b|(?:[^\s,;]+ ){0,6}?(?:niet|geen)(?:<gap>) te (?:kunnen|mogen) (?!<felt>)\w+
        ik (?!kan|mag|zal|geloof|denk|vind|kom|ben|was|had|twijfel|heb (?:geen (?:bezwaar|tijd|zin|twijfel)))[^\W\d_]+(?:<gap>) (?:niet|geen)(?! (?:wachten|komen|zeker))(?= |$)
        (?:heb|zie|ken|stel|geef|schrijf|maak|voel|bewaar|bezit|doe) ik(?:<gap>) (?:niet|geen)
        [^,;]{1,60}? [^\W\d_]+ ik(?: [^\s,;]+){0,3}? (?:niet|geen|nooit)(?= |$)
        [^,;]{1,60}? is (?:iets|niets) (?:wat|dat|waar\w*) ik
        [^,;]{1,60}? (?:verder gaat|gaat verder|buiten|boven|overstijgt|overschrijdt)(?: [^\s,;]+){0,4}? (?:ik|mijn|mij|me)\b
        (?:dat )?ik(?: [^\s,;]+){0,3}? (?:niet|geen|onvoldoende|te weinig)(?: [^\s,;]+){0,3}? (?:details|informatie|gegevens|toegang|context|kennis|antwoord) (?:heb|bezit)
        [^,;]{1,60}? (?:niet iets|geen \w+|niets) (?:wat|dat|waar\w*) ik
        (?:kunnen|mogen) we(?: [^\s,;]+){0,5}? (?:niet|geen)(?: [^\s,;]+){0,3}? (?:bespreken|praten|beantwoorden|helpen|delen|vrijgeven|onthullen|vertellen)|we (?:kunnen|mogen)(?: [^\s,;]+){0,5}? (?:niet|geen)(?: [^\s,;]+){0,3}? (?:bespreken|praten|beantwoorden|helpen|vrijgeven|onthullen)
        (?:is|was)(?: [^\s,;]+){0,5}? (?:niet iets|niets) (?:wat|dat|waar\w*) ik
        (?:dat )?ik(?: [^\s,;]+){0,3}? moet (?:weigeren|afwijzen|passen)|te moeten (?:weigeren|afwijzen)
        [^,;]{1,60}? te boven ga\w+
        (?:dat )?ik geen [^\s,;]+ (?:kan|mag) (?:aanbevelen|aanraden)
    """,
    not_after=r"(?:kan|weet|heb|mag|ik) (?:\w+ ){0,2}nog (?:niet|geen)|niet genoeg (?:aan|ben|zeg|prij)\w*|niet wachten|er niets aan doen|vaak genoeg|niet (?:zeggen|beschrijven) hoe (?:blij|dankbaar|erg)|niet (?:geloven|wachten)|niet (?:genoeg|vaak genoeg) (?:bedanken|aanbevelen|benadrukken|zeggen)|niet \w+ genoeg",
    contrasts="maar|echter|toch|wel",
    offers=r"""
        (?:ik|we) (?:kan|kun|help|zou|ben|sta|raad|wil|doe|geef|denk|bied|stel|mag|begrijp|probeer|moet|adviseer)
        (?:graag|als|indien|voel|laat|misschien|aarzel|dat|dit|het|niet|neem|met plezier|kan ik|is er|bedankt|alleen|wat ik)
        (?:je|u|jij) (?:kunt|kan|zou|moet)(?: \w+){0,4} (?:raadplegen|vragen|contact|opnemen|spreken|wenden|herformuleren)
    """,
    helps=r"hier (?:is|zijn|volgt)|hierbij",
)
