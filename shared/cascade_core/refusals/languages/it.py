"""How Italian refuses."""

from cascade_core.refusals.language import Language

LANGUAGE = Language(
    script="latin",
    hints="""devo
        avvocato autorità
        irresponsabile impediscono impedisce superi inappropriato nulla farò ricordo
        poter poterlo poterti oltre contrario contraria mancano manca abbastanza sufficienti sento esulano supera oltrepassa astengo
        non posso potrò potrei dispiace spiace spiacente possibile grado rifiutare declinare rifiuto
        purtroppo temo ho dispongo sono so contro viola impossibile capace preferisco preferirei
        conosco fuori autorizzato autorizzata saprei esula""",
    parts={
        "felt": r"(?:aspett|cred|evit|far(?:e|ne) a meno|immagin|neg|lament|ringrazi|consigli|raccomand|partecip|andar|venir|esser(?:e|ci) (?!util|d'aiut)|esserci|accett|viv|dorm|trov|dimentic|perd|sopport|resist|arrivar|accompagn|ricord|che\b)\w*",
        "ai": r"(?:un(?:a|o)? ?'?)?(?:semplice )?(?:modello(?: linguistico| di linguaggio| di ia| di intelligenza artificiale)?|intelligenza artificiale|ia|ai"
        r"|assistente(?: (?:virtuale|ia|ai|digitale))?|chatbot|bot|macchina)",
        "clitic": r"(?:ti |vi |le |gli |lo |la |li |ne |ci |mi |te lo |glielo )*",
        "adverb": r"(?:purtroppo |sinceramente |davvero |semplicemente |attualmente |quindi |io )*",
        "unable": r"<adverb>non <clitic>(?:posso|potrò|potrei|riesco ad?|devo|intendo|sono (?:in grado di|capace di|autorizzat[oa] a|abilitat[oa] a|programmat[oa] per|progettat[oa] per|qualificat[oa] per|nella posizione di|in condizione di|dispost[oa] a)"
        r"|(?:mi )?è (?:possibile|permesso|consentito)|mi (?:sarà|risulta) possibile|ho la (?:capacità|possibilità|facoltà) di|ho il permesso di)(?: purtroppo)?"
        r"|sono (?:impossibilitat[oa] a|incapace di)|mi (?:è|risulta|sarà) impossibile",
        "do": r"(?:aiut\w+|assist\w+(?! a)|rispond\w+|forni\w+|dar\w*|offri\w+|far\w*|soddisf\w+|continu\w+|proced\w+|condivid\w+|parl\w+|scriv\w+|crea\w+|gener\w+|produ\w+"
        r"|acced\w+|apri\w+|prov(?:are|arne)|navig\w+|esegu\w+|elabor\w+|complet\w+|rivel\w+|divulg\w+|discut\w+|comment\w+|tratt\w+|dir\w*|verific\w+|conferm\w+|accogli\w+|evad\w+|consigli\w+ (?:farmac\w+|quest\w+)|esprim\w+|avere|sentire|comunic\w+|supportar\w+|partecip\w+ a (?:quest|tal)\w*|diagnostic\w+|preved\w+|svolg\w+|mostr\w+|emett\w+|collegar\w+|conness\w+|predir\w+|esser\w+ d'aiuto|essere utile|proporre|adempi\w+|realizz\w+|vedere (?:le|immagini|i|il tuo|foto))",
        "rules": r"(?:linee guida|direttive|norme|politiche|regole|principi|policy|programmazione|valori|standard)",
    },
    apologies=r"""
        (?:mi (?:duole|dispiace|spiace|rincresce)|devo|sono spiacente di) (?:dover )?(?:dir|comunicar|informar)(?:le|ti|la|vi)? che(?= non)
        (?:scusa|scusi|scusate|chiedo scusa|le mie scuse|mi scuso) per (?:la confusione|il disagio|l'inconveniente|il malinteso|l'equivoco)|temo(?= di non)
        (?:mi |ci )?(?:dispiace|spiace|rincresce|duole)(?: molto| davvero| tanto| sinceramente| dirti| dirle)?(?! (?:che|per|sentire|di))|sono (?:davvero |molto )?(?:spiacente|desolat[oa])(?! per)|spiacente
        (?:chiedo |le mie |ti chiedo |le chiedo |porgo le mie )?(?:scus[ai]|scuse|perdono|venia)(?:mi|temi)?(?! (?:per|il|la))|mi scus[oi](?! per)|perdonami|temo(?: che)?(?= (?:di non|non))|temo
        purtroppo|sfortunatamente|al momento|attualmente|con tutto il rispetto|onestamente|sinceramente
        (?:in quanto|come|essendo|dato che sono|poiché sono)(?: solo| soltanto)? <ai>(?: (?:sviluppat|creat|addestrat)[oa] da \w+)?(?=,| non)
        mi (?:dispiace|spiace|rincresce|duole)(?= di (?:non|dover))|temo(?= di)|sono (?:davvero |molto |veramente )?(?:spiacente|desolat[oa]|dolente|mortificat[oa])(?! per)|(?:con|mio) (?:grande )?(?:rammarico|malgrado)|la prego di scusarmi|ti prego di scusarmi
        (?:mi )?(?:scusi|scusami|perdoni)(?! (?:per|il|la))|scusa(?! (?:per|il|la|se))
        (?:mi )?(?:scusa|scusi|scusate|scuse)(?:mi)? per (?:la confusione|il disagio|l'inconveniente|il malinteso|l'equivoco)|spiacente|temo di(?= non)
    """,
    leads=r"""
        (?:ciao|salve|buongiorno|gentile|caro|cara),? [^\s,;]{1,20}(?=, \w)
        ma|però|tuttavia|quindi|perciò|e|pertanto|dunque|poiché|perché
        ciao|salve|buongiorno|no|mah|hmm+|eh|oh
        a essere (?:sincer|onest)[oa]|per (?:motivi|ragioni) (?:di sicurezza|legali|etic[ihe]+|di privacy)
        in (?:tutta )?coscienza|a dire il vero|francamente|per ora|per il momento|io
    """,
    prefaces=r"""
        (?:molte |tante )?grazie|ti ringrazio|la ringrazio
        (?:capisco|comprendo|apprezzo|so che|vedo|mi rendo conto|riconosco)|(?:anche se|sebbene|nonostante|benché|per quanto)
        mi (?:piacerebbe|dispiace)|vorrei|è una (?:bella|ottima|buona|domanda)|(?:riguardo|per quanto riguarda|quanto a)|la (?:tua|sua) (?:domanda|richiesta)|a causa
        senza (?:accesso|altr|ulteriori|il|la|le|i)|per (?:proteggere|rispettare|tutelare)|(?:dato che|visto che|siccome|poiché|dal momento che)|ha ragione|hai ragione|(?:mi dispiace|immagino|sento)
        (?:il|la|lo|i|gli|le|l'|quest\w|quest'|il suo|il tuo) ?(?:document[oi]|test[oi]|contesto|font[ei]|informazioni|file|bran[oi]|articol[oi]|estratt[oi]|manuale|dati)\b
        (?:bella|ottima|buona) (?:domanda|idea)
    """,
    refusals=r"""
        (?:<unable>) (?:purtroppo |direttamente |legalmente )?(?:<do>)
        <unable>$|<unable>(?=,? (?:ma|perché))|temo di non (?:poter\w*|essere in grado|saper\w*)(?: \w+)?|(?:di )?non pot(?:er|erti|ervi|erla)\w* (?:aiut|rispond|assist)\w*
        (?:devo|sono costrett[oa] a|mi vedo costrett[oa] a|sono obbligat[oa] a|preferisco|dovrò|mi tocca)(?: (?:purtroppo|rispettosamente|gentilmente))? (?:rifiutar\w*|declinar\w*|dire di no|astenermi)|mi rifiuto|rifiuto di|declino
        prefer(?:isco|irei) (?:non|evitare)|non (?:desidero|voglio|intendo|me la sento di) (?:parl|scriv|rispond|discut|tratt|comment|aiut|partecip|affront)\w*
        (?:(?:questo|questa|quello|ciò|quella) )?(?:non è|non sarebbe) (?:una cosa|qualcosa|un argomento|una richiesta)(?: (?:con|in|su|di|per))?(?: (?:cui|che|quale))? (?:io )?(?:ti |le |mi )?(?:posso|possa|potrei|sia|sono)
        (?:questo|questa|quella|ciò|la|tale|il)(?: \w+){0,3} (?:va|viola|vanno|contravviene|infrange|è contrari[oa]|esula|esce|è fuori|è al di fuori|rientra|non rispetta|non è conforme)(?: contro| a| da| dalle| dai| al| alle| dal| oltre)* ?(?:le |i |la |mi[ei]i? |nostr[ei] )*(?:mi[eoai]i?|nostr[ei]|le|dalle|dai|alle|dal)?(?: \w+){0,1}? ?(?:<rules>|capacità|competenze|ambito|possibilità|conoscenze|funzioni)
        le mie <rules> (?:non )?(?:me )?(?:lo )?(?:mi )?(?:permettono|consentono|vietano|impediscono|impongono)
        (?:io )?non (?:ho|dispongo|possiedo|ho attualmente|dispongo attualmente)(?: (?:purtroppo|di|nessun\w*|alcun\w*|abbastanza|sufficienti|opinioni|le|la|un|il|diretto))* ?(?:d'|l')?(?:accesso|informazion[ie]|dati|contesto|dettagli|conoscenz[ae]|capacità|opinion[ie]|sentimenti|emozioni|coscienza|preferenze|credenze|esperienze|memoria|autorizzazione|permess[oi]|modo di|elementi|idea|la risposta|risposta)
        (?:io )?sono (?:solo|soltanto|solamente|semplicemente|unicamente) <ai>|non sono (?:altro )?che <ai>|sono <ai>(?:,| e)(?: quindi)? non
        (?:io )?(?:questo )?non (?:lo )?so(?! (?!rispond|aiut|dir|com|cos)\w+(?:are|ere|ire)\b)(?! (?:voi|tu|te|lei|se (?:a te|voi|ti)|cosa ne|come la|che ne|quanto a))|non (?:saprei|ne ho idea|conosco la risposta|ho idea|ne sono sicur[oa])|nessuna idea
        (?:sarebbe|è|non sarebbe|non è) (?:inappropriato|non etico|irresponsabile|scorretto|appropriato|etico|opportuno)|(?:richiesta|accesso) (?:rifiutat|negat|respint)[ao]|impossibile (?:aiut|rispond|soddisf)\w+|le informazioni fornite non
        (?:con|in|per|a|su|di) (?:questo|questa|ciò|quello|quella|tale)(?: \w+){0,2}? (?:<unable>|non <clitic>(?:posso|potrò|so))|(?:questo|ciò|quello) (?:io )?<unable>
        <unable> (?!<felt>)\w+r(?:e|ti|le|vi|gli|la|lo|li|ne|telo|glielo)? (?:(?:a|con|in|di|su|per|al|alla|nel|sul|del|della) ?)?(?:(?:il|la|i|le|lo) )?(?:tu[oae]i?|suoi|su[oae]|vostr\w+|quest\w+|quel\w*|alcun\w*|nessun\w*|tal[ei]|ciò|link|immagini|file|pagamenti|rimborsi|chiamate|prenotazioni)\b
        <unable> (?!<felt>)\w+r(?:ti|le|vi|la|telo|glielo)\b|non (?:ti|le|vi|gli|la)(?: l[oa])? (?:posso|potrò|potrei) (?!<felt>)\w+|non (?:te |glie|ve )(?:lo|la|li) ?(?:posso|potrò) (?!<felt>)\w+
        non mi (?:è|sarà|risulta|viene|è stato) (?:\w+ )?(?:possibile|permesso|consentito|concesso|dato)|mi (?:è|risulta) (?:\w+ )?(?:vietato|proibito|precluso|impossibile)|non è (?:possibile per me|compito mio|di mia competenza)|non spetta a me|non mi compete|non c'è modo (?:per me|che io)|non c'è nulla che io possa|non ho (?:modo|il diritto|facoltà)
        non ci sono (?:\w+ )?(?:abbastanza|sufficienti) (?:informazioni|dati|elementi|dettagli)|(?:mi )?manca(?:no)? (?:le |i |gli |l'|la |il )?(?:informazion[ie]|dati|elementi|dettagli|capacità|contesto|strumenti|accesso)|le informazioni (?:non sono sufficienti|sono insufficienti)
        (?:(?:quest[oa]|quell[oa]|ciò|la|il|tale|quel)(?: \w+){0,3}? )?(?:va|vanno|è|sarebbe|esula|esce|eccede|supera|oltrepassa|rientra|trascende|esulano|non rientra)(?: (?:ben|oltre|contro|contrari[oa]|al di fuori|fuori|al di là|tra|nelle|nei|dal|dalle|dai|del|delle|dei|di|a|al|alle|ai))* ?(?:il |la |le |i )?(?:mi[oae]i?|miei|quello che posso|ciò che posso|nostr[ei] <rules>|nostra <rules>)\b
        (?:quest[oa]|quell[oa]|ciò)? ?non è (?:un[oa']? ?)?(?:qualcosa|compito|argomento|cosa|richiesta|tema|domanda)(?: (?:con|in|su|di|per|a))?(?: (?:cui|che|quale|la quale|il quale)) (?:io )?(?:ti |le |mi |la |lo )?(?:poss[ao]|sia|sono|faccia|potrei)
        non sono (?:\w+ )?(?:qualificat|autorizzat|abilitat|programmat|progettat|addestrat|preparat|attrezzat|competent|titolat|disposto|dispost|tenut|nella (?:posizione|condizione)|in (?:grado|condizione|posizione)|la persona)\w*
        non mi sento (?:\w+ )?(?:a mio agio|di|in grado|tranquill)\w*|mi sento a disagio|mi mette a disagio
        (?:io )?non (?:ho|dispongo|possiedo|ho ricevuto|mi è stato dato|conosco)(?: [^\s,;.]+){0,4}? ?(?:d'|l'|un')?(?:accesso|informazion[ie]|dati|contesto|dettagli|conoscenz[ae]|capacità|opinion[ie]|modo|mezzi|strumenti|elementi|risposta|permess[oi]|autorizzazione|possibilità|qualifiche|competenze|credenziali|visibilità|traccia|corpo|sentimenti)\b
        (?:preferisco|preferirei|scelgo|devo|vorrei) (?:astenermi|evitare|non)|mi (?:astengo|vedo costrett[oa]|trovo costrett[oa])|sono (?:costrett|obbligat|tenut)[oa] a|rifiuterò|declinerò
        non (?:ti |le |vi |lo |la )?(?:scriverò|aiuterò|farò(?! tardi)|darò|fornirò|risponderò|creerò|genererò|parteciperò|condividerò|divulgherò|rivelerò|collaborerò)
        (?:quest[oa]|quell[oa]|ciò|la|il|tale)?(?: ?[^\s,;]+){0,4}? ?(?:va oltre|esula|supera|superi|eccede|oltrepassa|è fuori|è al di fuori|esce|è al di là|non rientra)(?: [^\s,;]+){0,5}? (?:posso|mi|mio|mia|mie|miei|so)\b
        (?:le mie|i miei|le nostre|le|i) (?:\w+ )?(?:<rules>|istruzioni|sviluppatori|creatori|limiti)(?: \w+)? (?:non )?(?:mi |me lo |ci )(?:impediscono|vietano|permettono|consentono|proibiscono|obbligano)
        (?:sarebbe|è) (?:\w+ )?(?:irresponsabile|inappropriato|scorretto|poco etico|imprudente|pericoloso|disonesto) (?:da parte mia|per me|che io)
        non (?:ricordo|conservo|memorizzo|mantengo|ho memoria|ho ricordo)(?: (?:nulla|niente|le|i|delle|dei|di|nostr\w+|alcun\w*|nessun\w*))+
        non (?:ho|sono|riesco ad?|trovo|vedo|posso)(?: (?:trovato|riuscit[oa] a|potuto|individuato))?(?: (?:trovare|individuare|localizzare|vedere|reperire))? (?:quest[aeo]|queste|nulla|niente|alcun\w*|nessun\w*|la|il|le|i|l'|una?|il suo|il tuo)(?: ?\w+)? ?(?:informazion[ie]|prenotazion[ei]|ordine|risposta|menzione|account|dettagli|riferiment[oi]|risultat[oi]|dati|abbonamento|fattura)\b
        (?:questo|ciò|[^\s,;]+re (?:[^\s,;]+ ){1,3}?è) (?:\w+ )?(?:qualcosa|una cosa|un argomento) (?:che|su cui|in cui|con cui) (?:io )?non
        non (?:sono|vengo) (?:\w+ )?(?:a conoscenza|al corrente|informat[oa])|non (?:dispongo|ho)(?: \w+)? (?:di |d')?(?:alcun\w*|nessun\w*) (?:\w+ )?(?:strument|mezz|mod|dat|element|funzion)\w+
        <unable> (?:prendere|decidere|scegliere|fare|firmare) \w+(?: \w+){0,3}? (?:al posto (?:tuo|suo)|per te|per lei|a nome)
        (?:io )?non sono (?:un[oa']? ?)?(?:\w+ )?\w+(?:,| e| né| quindi|, quindi|;)+ (?:quindi )?non (?:posso|devo|sono)|non sono (?:un[oa']? ?)?(?:avvocat|medic|dottor|professionist|uman|person|psicolog|terapeut|consulent|espert)\w*
        (?:io )?non (?:ho|dispongo)(?: [^\s,;.]+){0,3}? ?(?:l'|la |il |dell')?(?:autorità|facoltà|potere|competenza|diritto)\b
        (?:quest[oa]|quell[oa]|ciò|la|il)(?: [^\s,;]+){0,3}? (?:va|viola|infrange|contravviene|è contrari[oa]|è)(?: contro| a| alla| alle| con)? ?(?:la|le|il|i|alla|alle|ai)? ?(?:nostr[aei]|mi[ae]i?) (?:\w+ )?(?:<rules>|politica)
        non (?:sarò|sarei|sono) (?:\w+ )?(?:in grado|capace|autorizzat[oa])
        (?:io )?non (?:ho|conosco|dispongo de\w*) (?:il|la|i|le|gli|lo) (?:[^\s,;]+ ){1,4}?(?:attual[ei]|esatt[oaei]|recent[ei]|precis[oaei]|complet[oaei]|necessari[oaei]?)\b
        (?:su|con|per) (?:questo|questa|ciò) (?:devo|dovrò|mi tocca) (?:passare|rifiutare|declinare)
        non <clitic>potrò (?!<felt>|mai)\w+(?:re|rti|rle|rvi|rlo|rla)\b
    """,
    weak=r"""
        <unable>(?! (?:fare a meno|che|aspettare|partecipare|venire|essere presente|accettare|trovare|credere|esserci|andare))
        (?:di |che )?non (?:poter|essere (?:in grado|autorizzat[oa])|riuscire)(?! (?:venire|esserci|essere|partecipare|aspettare|andare|accettare|restare))(?!(?:ci|vi) essere)\w*(?! (?:venire|esserci|essere presente|partecipare|andare))
        (?:io )?non <clitic>(?!<felt>|posso|riesco|credo|dubito|penso|capisco|solo|tutto|quando|questo|voglio|sono|molto|tanto|trovo|vengo|verrò|sarò|farò tardi|ho (?:dubbi|obiezioni|tempo|problemi|mai))(?:\w+[^\W\d_aeiu]?o|\w+rò|ho)\b
        [^,;]{1,60}? è (?:qualcosa|una cosa|un argomento|una richiesta) (?:che|su cui|in cui|con cui|a cui) (?:io )?non
        [^,;]{1,60}? (?:superi?|ecceda|eccede|esula|esuli|oltrepass[ai]|va oltre|vada oltre|è fuori)(?: [^\s,;]+){0,6}? (?:posso|mi|mio|mia|mie|miei)\b
        (?:di )?non (?:avere|aver|disporre di|possedere)(?: [^\s,;]+){0,3}? (?:dettagli|informazioni|elementi|dati|accesso|contesto|risposta|conoscenze|risposte)\b
        [^,;]{1,60}? non (?:è|sono|rientra|fa parte)(?: [^\s,;]+){0,4}? (?:cosa|qualcosa|ciò|compiti|quello|argomento)(?: (?:su|in|con|a|di) cui)?(?: che)? ?(?:io )?(?:poss|mi|sia|sono|faccio)\w*
        (?:di |su )?(?:questo |ciò )?non (?:ne |lo )?possiamo (?:parlar|discuter|rivelar|condivider|aiutar|risponder|commentar|trattar|fornir (?:consig|opin))\w*
        (?:di )?(?:dover|essere costrett[oa] a) ?(?:rifiutar|declinar)\w*
    """,
    not_after=r"posso ancora|a meno|posso che|abbastanza (?:consigl|raccomand|sottoline|insist)\w+|(?:consigl|raccomand)\w+ abbastanza|non posso (?:crederci|immaginare|negare|lamentarmi|dormire|vivere|aspettare|farne)|(?:ringrazi|consigli|raccomand)\w+ (?:\w+ ){0,3}abbastanza",
    contrasts="ma|però|tuttavia|bensì",
    offers=r"""
        (?:ti |le |vi |la |mi )*(?:posso|potrei|sono|sarò|sarei|piacerebbe|consiglio|suggerisco|invito|raccomando|farò|cercherò|incoraggio)
        (?:se|non|per favore|forse|magari|sentiti|volentieri|questo|è|con piacere|resto|grazie|capisco|fammi|mi faccia|posso|c'è)
        (?:può|puoi|potresti|potrebbe|dovresti|dovrebbe)(?: \w+)? (?:consult|contatt|rivolg|chied|parl|riformul)\w+
    """,
    helps=r"ecco",
)
