"""How Polish refuses."""

from cascade_core.refusals.language import Language

LANGUAGE = Language(
    script="latin",
    hints="""nie mogę mogła mógł mogłabym mógłbym potrafię jestem mam wiem umiem muszę odmówić odmawiam
        niestety przykro wolę wolałbym wolałabym wolno sprzeczne sprzeczna narusza wykracza brakuje
        brak posiadam możemy jesteśmy mamy czuję niezgodne niezgodna poza przekracza pozwalają zabraniają dysponuję udzielę pomogę sposób chcę zamierzam podam będę znam pojęcia""",
    parts={
        "ai": r"(?:(?:wirtualn|cyfrow|inteligentn)\w+ asystent\w*|modele?m?(?: językowy\w*| ai| sztucznej inteligencji)?|sztuczn(?:a|ą) inteligencj(?:a|ą)|ai|asystent(?:em|ka|ką)?(?: (?:ai|wirtualny\w*|głosowy\w*))?|chatbot(?:em)?|bot(?:em)?|program(?:em)? komputerowy\w*|maszyn(?:a|ą))",
        "gap": r"(?: (?:[^\s,;]+)){0,5}?",
        "adverb": r"(?:niestety |po prostu |naprawdę |ja |też |również |jednak |obecnie |w tym |z tym |tego |na to |o tym )*",
        "unable": r"<adverb>nie (?:mogę|będę mógł|będę mogła|mógłbym|mogłabym|potrafię|umiem|wolno mi|powinienem|powinnam|zamierzam|będę|jestem (?:w stanie|upoważnion[ya] do|uprawnion[ya] do|przystosowan[ya] do|zaprogramowan[ya]|w mocy|zdoln[ya] do|kompetentn[ya]|przeznaczon[ya])|mam (?:możliwości|prawa|zdolności|uprawnień|pozwolenia|zgody)|da się|jest możliwe,? (?:abym|żebym)|zdołam|zdołał[a]?bym|dam rady|uda mi się)",
        "verb": r"(?!(?:się|ukry|zaprzecz|nadziw|przyj|przyb|by|uczestn|wzi|znale|docze|czeka|uwierz|dołącz|oprze|powstrzym|zgodzi|nachwal|iść|pójść|jecha|pojecha|wyjść|spać|zasn|żyć|wyobra|znieść|narzeka|zapomnie|pozwoli|doczyta)\w*)\w{2,}ć",
        "do": r"(?:\w*pom[óa]\w+|pomagać|odpowi\w+|odpowiad\w+|udziel\w+|poda\w+|dostarcz\w+|spełni\w+|wykona\w+|zrobi\w+|kontynuowa\w+|udostępni\w+|pisa\w+|napisa\w+|stworzy\w+|tworzy\w+|generowa\w+|wygenerowa\w+|rozmawia\w+|mówi\w+|powiedzie\w+|dyskutowa\w+|otwiera\w+|otworzy\w+|przetworzy\w+|zrealizowa\w+|odczuwa\w+|czu\w+|doradz\w+|ujawni\w+|wypowiada\w+|wypowiedzie\w+|komentowa\w+|sprawdzi\w+|potwierdzi\w+|przegląda\w+|zobaczy\w+|da[ćw]\w*|zapewni\w+|opracowa\w+|przekaz\w+|zaoferowa\w+|oferowa\w+|wesprze\w+|wspiera\w+|wyrazi\w+|wyraża\w+|przewidzie\w+|diagnozowa\w+|stawia\w+ diagnoz\w+|uczestniczy\w+ w t\w+|ocenia\w+|ocenić|tego|tej|takich|takiej|mieć|posiada\w+|uzyska\w+|promowa\w+|omawia\w+|omówi\w+|przychyli\w+|przystać|służyć|zająć|zajmować|wyświetli\w+|pokaza\w+|wyjaśni\w+|postawi\w+|połączy\w+|łączy\w+|dotrze\w+)",
        "rules": r"(?:wytyczn\w+|zasad\w*|polityk\w+|regulamin\w*|regułami|reguły|oprogramowani\w+|programowani\w+|wartości\w*|standard\w+)",
    },
    apologies=r"""
        (?:bardzo |niezmiernie |naprawdę |ogromnie )?(?:(?:mi|nam) )?przykro(?: mi| nam)?(?: to mówić)?(?!,? (?:że|z powodu|to słyszeć))|(?:bardzo |najmocniej |serdecznie )?przepraszam(?:y)?(?: bardzo)?(?! za)|(?:proszę (?:o |mi )?)?wybacz(?:enie|yć|cie)?(?! za)|proszę o wybaczenie|(?:moje )?przeprosiny|sorki|sorry
        obawiam się(?:,? że)?(?!,? (?:że )?tak)|(?:bardzo |ogromnie )?żałuję|z (?:przykrością|żalem|ubolewaniem) (?:informuję|piszę|stwierdzam|zawiadamiam)\w*(?:,? że)?|z (?:przykrością|żalem)
        niestety|w tej chwili|obecnie|z całym szacunkiem|szczerze mówiąc|na ten moment
        jako (?:tylko )?<ai>(?: (?:stworzon|opracowan)\w+ przez \w+)?(?=,| nie)|(?:ponieważ|skoro|gdyż) jestem (?:tylko )?<ai>
    """,
    leads=r"""
        ale|jednak|jednakże|więc|dlatego|zatem|lecz|i|ponieważ|bo|natomiast|że
        cześć|witaj|dzień dobry|nie(?=,)|hmm+|ojej|och|no cóż|cóż
        ze względów (?:bezpieczeństwa|prawnych|etycznych)
    """,
    prefaces=r"""
        dziękuję|dzięki|doceniam|rozumiem|wiem, że|zdaję sobie|widzę|(?:choć|chociaż|mimo|pomimo)|(?:chętnie|chciał[a]?bym|z chęcią)|to (?:bardzo )?(?:dobre|ciekawe|świetne|ważne)|(?:co do|jeśli chodzi|odnośnie|w kwestii)|(?:twoje|twoja|pana|pani|państwa) (?:pytanie|prośba)
        (?:przykro mi|przepraszam)|zgodnie z|ze względu
        nie jestem (?:\w*em|\w+ką|\w+ą)(?=,)
    """,
    refusals=r"""
        (?:<unable>)<gap> (?:<do>)|(?:w tym|z tym|na to|tego|o tym|takich \w+|tej \w+|na (?:to|takie) \w+)(?:<gap>) (?:<unable>)(?:<gap>) ?(?:<do>)?
        <unable>$|<unable>(?=,? (?:ale|bo|ponieważ))|nie (?:udzielę|pomogę|podam|napiszę|odpowiem|udzielam|podaję|omawiam|rozmawiam|piszę|udostępniam|udostępnię)
        (?:muszę|jestem zmuszon[ya]|będę musiał[a]?|zmuszon[ya] jestem|wolę|chcę|czuję się zobowiązan[ya])(?: (?:niestety|grzecznie|z szacunkiem|stanowczo))? (?:odmówić|odrzucić|nie odpowiadać|odmawiać)|odmawiam
        (?:wolę|wolał[a]?bym|wolałbym|wolałabym)(?: \w+)? nie|nie (?:chcę|chciał[a]?bym|zamierzam|życzę sobie|będę|czuję się komfortowo)(?:<gap>) (?:rozmawia\w+|pisa\w+|odpowiada\w+|pomaga\w+|dyskutowa\w+|tworzy\w+|wypowiada\w+|komentowa\w+|uczestniczy\w+|poruszać|omawiać|mówić)
        (?:to )?nie jest (?:coś|to coś|to temat|temat|prośba|rzecz|to)(?:,)? (?:w czym|z czym|co|na co|o czym|w której|na który|przy czym)(?: \w+){0,2}? ?(?:mogę|mógł|mogła|jestem|potrafię)|(?:to )?nie jest coś
        (?:to|ta|ten|twoja|twoje|pana|pani|takie|taka|te)(?: \w+){0,3} (?:jest sprzeczn\w+|są sprzeczn\w+|narusza\w*|wykracza\w*|łamie|kłóci|stoi w sprzeczności|byłoby sprzeczne|jest niezgodn\w+|jest wbrew|jest poza|nie mieści się|nie jest zgodn\w+)(?: się)?(?: z| poza| w| ramach)* ?(?:mo\w+|nasz\w*|zakres\w*|zasady|zasad)(?: \w+){0,2}?(?: <rules>| możliwości| wiedz\w+| kompetencj\w+| umiejętności)?
        moje <rules>(?: \w+)? (?:nie )?(?:mi )?(?:na to )?(?:pozwalają|zabraniają|zakazują|uniemożliwiają)
        nie (?:mam|posiadam|dysponuję|otrzymał[a]?m|widzę)(?: (?:niestety|obecnie|wystarczając\w+|żadn\w+|dostatecznie|bezpośredni\w+|odpowiedni\w+|dość|własn\w+|osobist\w+|potrzebn\w+|takich|takiej|aktualn\w+|wielu|dużo))* (?:dostęp\w*|informacj\w+|danych|danymi|kontekst\w*|szczegół\w+|wiedz\w+|zdolności|opinii|uczuć|emocji|świadomości|preferencji|przekonań|doświadcze\w+|pamięci|uprawnień|pozwolenia|pojęcia|zdania|możliwości)|brak(?:uje)? mi (?:uprawnień|kompetencji|możliwości|narzędzi|podstaw|kwalifikacji|danych|informacji|wiedzy|dostępu|kontekstu)
        (?:ja )?(?:jestem (?:tylko|jedynie|wyłącznie|zaledwie)|to tylko) <ai>|jestem <ai>(?:,| i)(?: dlatego| więc)? nie
        (?:tego )?nie (?:wiem|znam odpowiedzi|mam pojęcia|jestem pew(?:ien|na)(?:$|,))(?!,? (?:jak (?:wy|ty|pan|pani|państwo|inni|ciebie|tobie)|czy (?:ty|wam|tobie)|co (?:ty|wy|myśl)))|pojęcia nie mam
        (?:byłoby|jest|nie byłoby|nie jest) (?:niewłaściwe|nieetyczne|nieodpowiedzialne|nieodpowiednie|właściwe|etyczne|stosowne)|(?:prośba|dostęp|odmowa)(?: \w+)? (?:odrzucon|zabronion)\w+|podane informacje nie
        (?!<adverb>nie (?:da się|jest możliwe))(?:<unable>)(?: [^\s,;]+){0,4}? (?:<verb>)
        <adverb>nie (?:możemy|jesteśmy w stanie|mamy możliwości)<gap> (?:pom[óa]\w+|odpowiedzieć|spełnić|zrealizować|wykonać|ujawni\w+|udziel\w+ (?:odpowiedzi|informacji|porad\w*|pomocy)|udostępni\w+ (?:danych|informacji))
        (?:(?:to|takie działanie) )?(?:byłoby|jest|będzie)(?: to)? (?:niezgodne|sprzeczne|wbrew)(?: z)? (?:mo|nasz|zasad|polityk|regulamin|prawem)\w*(?: \w+)?
        nie (?:czuję się|jestem)(?: \w+)? (?:upoważnion|kompetentn|uprawnion|na siłach|odpowiedni|wykwalifikowan|ekspert)\w*
        (?:u mnie )?<adverb>nie (?:mam|posiadam|dysponuję)(?: [^\s,;]+){0,3}? (?:wgląd|dostęp|narzędzi|podgląd|uprawnie|upoważnie|kompetencj|funkcj|kwalifikacj|umiejętnoś|danych|danymi|informacj|wiedz|podstaw|możliwoś|prawa|zgody)\w*
        (?:to|ta|ten|takie)(?: \w+){0,2} (?:leży |jest |znajduje się |pozostaje )?poza (?:mo|zakres|nasz)\w*(?: \w+){0,2}
        (?:ta|to|ten|takie|twoja|twoje|pana|pani)(?: \w+){0,2} (?:przekracza|wykracza poza|narusza|łamie) (?:zakres |obszar |granice )?(?:mo|nasz|zasad|regulamin)\w*
        (?:to|ta sprawa|takie \w+)(?: niestety| raczej)? nie (?:leży|jest|mieści się|wchodzi|należy)(?: \w+)? (?:w|do) (?:\w+ )?mo\w+ \w+
        nie ma (?:takiej )?(?:możliwości|opcji|sposobu),? (?:żebym|abym|bym)
        (?:\w+ )?<rules>(?: \w+){0,2} (?:nie )?(?:mi )?(?:pozwalają|pozwala|zabraniają|zabrania|zakazują|zakazuje) mi
        (?:[^\s,;]+ ){1,4}?(?:niestety )?nie (?:mogę|potrafię|umiem|zdołam|dam rady)(?:$| (?:<do>|<verb>))
        (?:[^\s,;]+ ){0,4}?nie (?:pomogę|pomagam|udzielę|podam|napiszę|odpowiem|udostępnię|odpowiadam na takie|spełnię|podejmę się|zrobię|wykonam|zrealizuję|przetłumaczę|ujawnię|przygotuję|stworzę|wygeneruję|zajmę się|zajmuję się|doradzę|doradzam|obsługuję|wspieram|sprawdzę|pokażę|wyjaśnię|powiem|dokończę|zmienię|ocenię|oceniam|komentuję|przewiduję|stawiam|wystawiam|wykonuję|przetwarzam|przechowuję)(?: [^\s,;]+){0,4}
        nie jestem \w+(?: \w+)?,? (?:i|więc|dlatego|zatem) (?:nie mogę|nie potrafię|nie powinn\w+|nie udziel\w+)
        (?:[^\s,;]+ ){1,5}?(?:muszę|jestem zmuszon[ya]|zmuszon[ya] jestem) (?:\w+ )?(?:odrzucić|odmówić|odmawiać|odrzucać)
        moj[aei] (?:wiedza|dane|umiejętności|możliwości|kompetencje|uprawnienia|informacje|funkcje)(?: \w+){0,3} (?:nie|ograniczon\w+)(?: \w+)?
        (?:[^\s,;]+ ){1,4}?nie (?:posiadam|mam|dysponuję)(?: [^\s,;]+){0,2}? (?:dostępu|informacji|wiedzy|danych|uprawnień|możliwości)
        (?:to|ta|ten|takie)(?: \w+){0,2} (?:wykracza|jest|leży) poza (?:to|tym),? co (?:potrafię|mogę|umiem)
        nie (?:odczuwam|miewam|przeżywam|posiadam) (?:\w+ )?(?:emocji|uczuć|świadomości|poglądów|opinii|preferencji)
        (?:zabrania się mi|zabroniono mi|zakazano mi|nie pozwolono mi)(?: \w+)?
        (?:niestety )?nic (?:na to |z tym |w tej sprawie |tu )?nie (?:mogę|poradzę|zdziałam|wskóram)|(?:niestety )?nic nie mogę (?:na to |z tym |w tej sprawie )?(?:poradzić|zrobić)
        (?:to|ta|ten|takie)(?: \w+){0,2} (?:wykracza|jest|leży) poza m[óo]\w+ \w+
        <adverb>nie dysponuję(?: [^\s,;]+){1,4}
    """,
    weak=r"""
        <unable>(?! (?:się (?:doczekać|nachwalić|oprzeć|zgodzić, że)|przyjść|przyjechać|być|uczestniczyć|wziąć|znaleźć|doczekać|uwierzyć|przyjąć|dołączyć|jeszcze))
        <adverb>nie (?!(?:mog|sądz|myśl|widz|dziwi|chc|potrzeb|żałuj|rozumi|będ)\w*)\w{3,}(?:uję|ę)(?! (?:jak|czy|że))
    """,
    not_after=r"(?:wolisz|wolała?(?:byś)?|preferuj\w+|lubisz|byś|pan woli|pani woli)|(?:oddać|zwrócić)(?: \w+)? (?:pieniędzy|kosztów|kwoty),? (?:ale|lecz)|(?:powiedzieć|rzec),? że|jak (?:ci|wam|panu|pani|państwu|mam) (?:po)?dziękować|(?:na)?dziękować się|narzekać|wyjść z podziwu|oderwać się|wyobrazić sobie|nie (?:zauważyć|wspomnieć|docenić)|jeszcze|się (?:doczekać|nachwalić|oprzeć|powstrzymać)|wystarczająco (?:poleci|podkreśli|zachwal)\w+|dość (?:poleci|podkreśli)\w+",
    contrasts="ale|jednak|lecz|natomiast|za to",
    offers=r"""
        (?:chętnie|mogę|mógłbym|mogłabym|jestem|jeśli|jeżeli|proszę|może|daj|polecam|zalecam|sugeruję|zachęcam|służę|pomogę|z przyjemnością|w razie|gdyby|postaram|to|nie|zawsze|rozumiem|dziękuję|spróbuję|doradzam|w czym|czy)
        (?:możesz|może pan|może pani|warto|powinieneś|powinnaś)(?: \w+)? (?:skonsult|skontakt|zapyta|porozmaw|zwróci|poszuka)\w+
    """,
    helps=r"oto",
)
