"""How French refuses."""

from cascade_core.refusals.language import Language

LANGUAGE = Language(
    script="latin",
    hints="""devoir
        avocate fait
        irresponsable empêchent empêche dépasser inapproprié rien ferai
        juste peine sort outrepasse interdit contrainte contraint contrevient sortent puisse ai suffisamment assez interdite manque savoir ose désole malaise
        dépasse dépassent ne n peux pourrai pourrais puis désolé désolée pas impossible mesure refuse décliner refuser
        malheureusement regrette suis dispose incapable sais préfère préférerais navré navrée
        encontre enfreint contraire viole ignore aucun aucune contrevient hors pouvoir""",
    parts={
        "spoken": r"je (?:le |la |l'|les |vous |te |t'|en |y )*(?:peux|pourrai|pourrais|vais)(?: malheureusement| vraiment| hélas)* pas(?: pouvoir)?|je suis pas (?:en mesure|capable|autorisée?)(?: de| d'| à)?",
        "felt": r"(?:attend|croi|imagin|m'|me |dormi|vivr|assist|veni|accept|trouv|oubli|part|rest|y aller|être|remerci|recommand|souligne|insist|aim|résist|suppor|rejoin|rappel)\w*",
        "ai": r"(?:une? )?(?:simple )?(?:modèle(?: de langage| de langue| linguistique| d'ia| d'intelligence artificielle)?"
        r"|intelligence artificielle|ia|assistante?(?: (?:virtuel\w*|ia|numérique|d'ia))?|chatbot|bot|robot|machine)",
        "clitic": r"(?:vous |te |t'|lui |leur |le |la |l'|les |y |en |me |m')*",
        "adverb": r"(?: malheureusement| hélas| donc| vraiment| simplement| tout simplement| actuellement| pas)*",
        "unable": r"je ne (?:le |la |l'|les |vous |te )*(?:peux|pourrai|pourrais|puis|saurais|dois|vais)(?:<adverb> pas|<adverb>)(?: pouvoir)?"
        r"|je ne (?:suis|serai|serais)(?:<adverb>) (?:en mesure|capable|autorisée?|habilitée?|apte|à même|programmée? pour|conçue? pour|qualifiée?)(?: de| d'| à)?"
        r"|je suis (?:malheureusement )?(?:incapable|dans l'impossibilité|dans l'incapacité|au regret)(?: de| d')(?: ne pas pouvoir)?"
        r"|(?:je crains|j'ai (?:bien )?peur|je regrette) de ne (?:pas )?(?:pouvoir|être en mesure de|savoir)"
        r"|il (?:m'est|me sera|m'est malheureusement) (?:impossible|interdit)(?: de| d')?|il ne m'est pas (?:possible|permis)(?: de| d')?",
        "do": r"(?:vous |te |t'|lui |leur |le |la |l'|les |y |en )*(?:aid\w+|répond\w+|fourni\w+|donn\w+|faire|assist(?:er (?!à)|ance)\w*|accéd\w+|partag\w+"
        r"|communiqu\w+|continu\w+|poursuiv\w+|satisf\w+|trait\w+|discut\w+|parl\w+|abord\w+|écri\w+|rédig\w+"
        r"|cré\w+|génér\w+|produi\w+|ouvr\w+|ressenti\w+|éprouv\w+|navigu\w+|exécut\w+|accompli\w+|divulgu\w+|révél\w+"
        r"|vérifi\w+|confirm\w+|dire|prédi\w+|diagnosti\w+|conseill\w+|propos\w+|effectu\w+|réalis\w+|donner suite|avoir|offri\w+|particip\w+|soutenir|commenter|exprim\w+|consulter (?:vos|votre|des|internet)|voir (?:des|les|vos|votre|d'images)|transmett\w+|prêter|prendre part|remplir|montr\w+|expliquer|poser|établir|connecter|me connecter)",
        "rules": r"(?:directives|politiques?|règles|principes|consignes|programmation|valeurs|lignes directrices|normes|conditions)",
    },
    apologies=r"""
        (?:j'ai le regret|je (?:regrette|suis désolée?|suis au regret)) (?:de (?:devoir )?)?(?:vous |t'|te )(?:dire|informer|annoncer|faire savoir) que(?= je)|je dois (?:vous|te) (?:dire|informer) que(?= je ne)
        (?:pardon|désolée?|navrée?|toutes mes excuses|mes excuses|excusez-moi|excuse-moi) pour (?:la (?:confusion|gêne)|le malentendu|cela|ça|les désagréments|ce désagrément|le dérangement)|je crains(?= de ne)
        (?:(?:je suis|je|nous sommes|sommes) )?(?:vraiment |sincèrement |très |bien )?(?:désolée?s?|navrée?s?)(?: pour (?:cela|ça|la gêne))?(?! (?:pour|d'app|d'ent|de l|que|du|des))
        (?:toutes )?(?:mes|nos) (?:plus sincères |plus plates |sincères )?excuses(?! pour)|je (?:vous |te )?(?:prie|présente|demande)(?: de)?(?: m'excuser| mes excuses| pardon)(?! pour)|(?:excuse|pardonne)z?-moi(?! pour)|pardon|je m'excuse(?! pour)
        (?:je crains|j'ai (?:bien )?peur)(?: que)?(?! oui)|je regrette
        malheureusement|hélas|à ce stade|en ce moment|pour l'instant|actuellement|avec tout le respect
        (?:en tant qu'|en tant que |comme je suis |étant (?:donné que je suis )?|étant )(?:simple )?<ai>(?: (?:développ|cré|entraîn)ée? par \w+)?(?=,| je)
        (?:veuillez |je vous prie de |merci de )?(?:m'excuser|me pardonner|accepter mes excuses)(?! pour)|(?:c'est )?avec regret|à mon (?:grand )?regret|je suis au regret|je vous (?:prie de|demande de) m'excuser
        (?:pardon|désolée?|navrée?|toutes mes excuses|mes excuses|excusez-moi|excuse-moi) pour (?:la (?:confusion|gêne)|le malentendu|cela|ça|les désagréments|ce désagrément|le dérangement)
    """,
    leads=r"""
        (?:bonjour|bonsoir|salut|cher|chère),? [^\s,;]{1,20}(?=, \w)
        mais|cependant|toutefois|donc|alors|et|néanmoins|car|par conséquent|c'est pourquoi|pourtant
        bonjour|bonsoir|salut|non|hum+|hmm+|euh|oh|ah
        pour être (?:honnête|franc|franche)|honnêtement|franchement|pour des raisons (?:de sécurité|légales|éthiques|de confidentialité)
        en (?:toute |bonne )?conscience|(?:en toute )?(?:sincérité|franchise)|à vrai dire|là-dessus|ici|moi
    """,
    prefaces=r"""
        merci|je (?:vous |te )?remercie
        je (?:comprends|vois|conçois|reconnais|sais que|suis conscient\w*)|j'(?:apprécie|entends|aimerais|imagine)
        (?:bien que|même si|quoique)|je (?:souhaiterais|voudrais|serais (?:ravi|heureu))
        c'est (?:une )?(?:très )?(?:bonne|excellente|intéressante|question)|quelle
        (?:concernant|quant à|au sujet|à propos|pour ce qui)|(?:votre|ta) (?:question|demande)
        (?:je suis )?(?:désolée?|navrée?)|en raison|compte tenu|conformément
        sans (?:accès|plus|ces|cette|votre|vos|les)|pour (?:protéger|respecter|des raisons)|(?:puisque|comme|étant donné|vu)|vous avez raison|j'entends|je (?:mesure|devine|sens)
        (?:le|la|les|l'|ces|cet|cette|ce|votre|vos|mon|mes) ?(?:documents?|textes?|contexte|sources?|informations?|fichiers?|passages?|articles?|extraits?|manuel|données)\b
        (?:bonne|excellente|très bonne) (?:question|idée)
    """,
    refusals=r"""
        (?:<unable>)(?: malheureusement| donc| pas| vraiment| directement| légalement)* ?(?:<do>)
        <unable>$|<unable>(?=,? (?:mais|car))|je ne peux(?: malheureusement)? rien (?:faire|dire)
        je (?:dois|suis (?:contrainte?|obligée?|tenue?|forcée?)|me vois|vais devoir|préfère|devrai)(?: (?:de|d'|à|dans l'obligation de|malheureusement|respectueusement|contrainte? de|obligée? de))* ?(?:décliner|refuser|m'abstenir|dire non)|je (?:me )?(?:refuse|décline)(?: de| d'| à)?
        je (?:préfère(?:rais)?|choisis de|souhaite|voudrais) ne pas|je préfère m'abstenir|je ne (?:souhaite|veux|désire)(?: vraiment)? pas (?:parl|abord|discut|écri|répond|aid|comment|particip|en|vous)\w*
        (?:ce n'est|ça n'est|cela n'est|c'est)(?: malheureusement)?(?: pas)? (?:quelque chose|un sujet|une demande|une chose)(?: pour| sur| avec| dans| à)?(?: (?:que|lequel|laquelle|quoi|dont|qu'))? ?je (?:ne )?(?:peux|puisse|pourrais|suis)
        (?:cela|ça|ceci|cette|ce|votre|ta)(?: \w+){0,3} (?:va|vont|irait|est|sont|enfreint|viole|contrevient|sort|dépasse|ne respecte|n'est)(?: pas)?(?: à l'encontre| contraires?| contre| hors| en dehors| conforme)?(?: (?:de|à|du|aux|des))? ?(?:mes|nos|mon|ma|les|la|le|ce que je)(?: \w+){0,2}? ?(?:<rules>|capacités|compétences|champ|domaine|cadre|peux|limites)
        mes <rules>(?: \w+)? (?:ne )?(?:m(?:e l)?'|me )?(?:l')?(?:permettent|interdisent|empêchent|autorisent)
        je (?:n'ai|ne dispose|ne possède|ne détiens|n'ai malheureusement|n'ai actuellement)(?: pas| aucune?| point)?(?: (?:d'|de |des |accès|d'assez|assez|suffisamment|informations|l'|la |le |actuellement|malheureusement|une?))* ?(?:d'|de |l')?(?:accès|informations?|données|contexte|détails|connaissances?|capacité|opinions?|avis|sentiments?|émotions?|conscience|préférences|croyances|expériences?|mémoire|autorisation|moyen|droit|possibilité|éléments|réponse)
        je (?:ne )?suis (?:qu'|juste |seulement |simplement |uniquement )<ai>|je suis <ai>(?:,| et)(?: donc)? je ne|je manque d'informations?
        (?:ça |cela )?je (?:ne )?(?:le )?(?:sais|saurais) pas(?! (?!répond|aid|fair|dir)\w+(?:er|ir|re)\b)(?! (?:vous|toi|si vous|si tu|pour vous|ce que|comment vous|pour toi|quant à vous))|je (?:l')?ignore|je n'(?:en )?ai (?:aucune|pas la moindre) idée|aucune idée|je ne (?:connais pas la réponse|suis pas (?:sûre?|certaine?)(?:$| de la))|j'ai bien peur de ne pas savoir
        il (?:serait|est|n'est pas|ne serait pas) (?:inapproprié|irresponsable|contraire à l'éthique|déplacé|approprié|éthique|convenable)
        (?:demande|accès|requête) (?:refusée?|rejetée?)|impossible de (?:vous |te |répondre|donner suite)|les informations fournies ne
        (?:<spoken>)(?: vraiment| malheureusement| directement)? (?:<do>)|(?:<spoken>)$|(?:<spoken>)(?=,? (?:mais|car))
        (?:<unable>|<spoken>)(?: malheureusement| donc| vraiment| directement)* (?:vous |te |t'|vous y |vous le |vous les )?(?!<felt>)\w+(?:r|re) (?:(?:à|sur|dans|avec|de|d'|pour) )?(?:votre|vos|ton|ta|tes|cette|cet|ce genre|ce type|ces|cela|ça|ceci|aucune?|de telles?|de tels|des (?:liens|images|fichiers|paiements|remboursements|appels|e-mails))\b
        (?:<unable>|<spoken>)(?: malheureusement| donc| vraiment)* (?:vous |te |t')(?!<felt>)\w+
        il (?:ne )?m'est (?:pas |malheureusement |formellement |strictement )*(?:possible|permis|impossible|interdit|défendu|autorisé)|(?:cela|ça|ce) (?:ne )?m'est (?:pas )?(?:possible|permis|impossible|interdit)|il (?:n'est|est) (?:pas )?(?:impossible|possible) pour moi|je n'ai pas le droit|on ne m'a pas|il n'y a rien que je puisse|je n'y peux rien
        il n'y a pas (?:assez|suffisamment) (?:d'|de )(?:informations?|données|éléments|détails|contexte|renseignements)|(?:il me|il) manque (?:des|d'|de|les) ?(?:informations|données|éléments|détails)|les informations (?:sont|ne sont pas) (?:in)?suffisantes|je manque (?:d'|de )\w+
        (?:cela|ça|ceci|cette|ce|c'est|c'|votre|ta|le fait)(?: \w+){0,4}? ?(?:va|est|serait|sort|dépasse|excède|outrepasse|n'entre pas|ne fait pas partie|ne relève pas|ne rentre pas|contraire|contrevient|en dehors|hors|au-delà|à l'encontre)(?: (?:en dehors|hors|au-delà|à l'encontre|contraire|du|de|des|à|aux|dans|cadre|champ|contre|périmètre))* ?(?:mon|ma|mes|notre <rules>|nos <rules>|ce que je)\b
        (?:ce|cela|ça|ceci) (?:n'est|ne sera|n'est malheureusement)(?: vraiment)? pas (?:une? )?(?:quelque chose|sujet|demande|chose|tâche|question)(?: (?:à|sur|avec|pour|dans))?(?: (?:que|laquelle|lequel|quoi|dont))? ?je\b
        je (?:ne |n')?(?:me )?(?:suis|sens|sentirais|serais)(?: \w+)? pas(?: \w+)? (?:à l'aise|qualifiée?|compétente?|formée?|équipée?|conçue?|programmée?|entraînée?|habilitée?|autorisée?|en position|en mesure|en droit|disposée?|prête? à (?:écri|aid|fourn)|censée?|capable|apte|la bonne personne)\b|je suis mal à l'aise
        je (?:n'ai|n'ai pas|ne dispose|ne possède|ne détiens|n'ai reçu|ne bénéficie|ne connais)(?: (?:pas|plus|aucune?|point|ni))(?: [^\s,;.]+){0,4}? ?(?:d'|l'|de |la |les )?(?:accès|informations?|données?|contexte|détails?|connaissances?|capacités?|opinions?|moyens?|outils?|droits?|possibilités?|éléments|réponse|renseignements?|qualifications?|compétences?|autorisations?|visibilité|trace|corps|sentiments?)\b
        je (?:préfère|préférerais|choisis|vais|dois|souhaite|me dois)(?: \w+)? ?(?:de )?(?:ne pas|m'abstenir|éviter|décliner|refuser|rester en dehors|passer mon tour)|je (?:m'abstiens|m'abstiendrai|refuserai|déclinerai|me permets de décliner)|je me (?:vois|trouve|sens) (?:dans l'obligation|contrainte?|obligée?|forcée?|dans l'impossibilité)
        je ne (?:vous |t'|te |l')?(?:aiderai|écrirai|ferai|donnerai|fournirai|répondrai|créerai|générerai|participerai|partagerai|divulguerai|rédigerai) pas
        (?:cela|ça|ceci|cette|ce|c'est|elle|il|votre|ta|la)(?: [^\s,;]+){0,5}? ?(?:sort|dépasse|dépasserait|excède|outrepasse|en dehors|hors|au-delà|va au-delà|est hors)(?: [^\s,;]+){0,5}? (?:je|j'ai|j'|mon|ma|mes|me|m'est|m'a)(?= ?\w)\w*
        (?:mes|nos|les|mon|ma) (?:\w+ )?(?:<rules>|instructions|concepteurs|créateurs|limites)(?: \w+)? (?:ne )?(?:m'|me |nous )(?:l')?(?:empêchent?|interdisent|interdit|permettent|autorisent|obligent|contraignent)
        (?:il serait|ce serait|c'est|il est) (?:\w+ )?(?:irresponsable|inapproprié|contraire à l'éthique|déplacé|dangereux|malhonnête|imprudent) (?:de ma part|pour moi|que je)
        je (?:ne |n')(?:me souviens|garde|conserve|mémorise|retiens|ai)(?: pas| aucun\w*) (?:de|d'|nos|souvenir|mémoire|trace|gardé|conservé)\w*
        je (?:n'ai|ne|n') ?(?:pas |malheureusement )*(?:trouvé|trouve|pu|vois|parviens|réussis|arrive)(?: pas)?(?: à)?(?: (?:trouver|localiser|voir|retrouver|accéder à))? (?:cette|cet|ces|ce|rien|aucune?|la|le|les|l'|votre|vos|ton|d'|de)(?: ?\w+)? ?(?:informations?|réservation|commande|réponse|mention|compte|détails|référence|résultats?|données|abonnement|facture|historique)\b
        (?:cela|ça|c'est|[^\s,;]+r (?:[^\s,;]+ ){1,3}?est) (?:\w+ )?(?:quelque chose|une chose|un sujet) (?:que|qu'|dont|sur lequel|à laquelle) ?(?:je) (?:ne|n')
        je (?:ne dispose|ne possède|ne bénéficie)(?: \w+)? (?:d'aucune?|aucune?)
        je ne suis (?:pas |ni )(?:une? )?(?:\w+ )?\w+(?:,| et| donc|, donc|;)+ (?:je )?(?:ne|n') ?(?:peux|puis|suis|dois|saurais)|je ne suis pas (?:une? )?(?:avocat|médecin|professionnel|humain|personne|psychologue|thérapeute|conseill|expert)\w*
        je n'ai (?:pas|aucune)(?: [^\s,;.]+){0,3}? ?(?:l'|d'|le |de )?(?:autorité|pouvoir|compétence|habilitation|droit)\b
        je ne (?:serai|serais)(?: \w+)? pas (?:en mesure|capable|à même|autorisée?)
        je n'ai pas (?:le|la|les|vos|votre|tes) ?(?:[^\s,;]+ ){1,4}?(?:actuel\w*|exacte?s?|récente?s?|précise?s?|complète?s?|nécessaires?)\b
        je (?:vais |dois |vais devoir )(?:passer mon tour|m'abstenir|vous dire non)
        je ne (?:vous |te |le |la |l'|les )?pourrai pas (?:vous |te |le |la |l'|les )?(?!<felt>)\w+(?:er|ir|re)\b
    """,
    weak=r"""
        <unable>(?! (?:pas )?(?:attendre|m'empêcher|assister à|venir|être présent|accepter|trouver|que|trop|croire|y aller|participer à))
        (?:de |que |d')?(?:ne pas|ne) (?:pouvoir|être (?:en mesure|capable|autorisée?)|savoir)(?! (?:venir|assister|être|attendre|accepter|participer|te voir|vous voir))
        <spoken>(?! (?:attendre|venir|croire|y aller|trouver))
        je (?:ne |n')(?:vous |te |t'|le |la |l'|les |me |m'|y |en )*(?!peux|pourrai|puis|crois|pense|doute|comprends|sais pas (?:nager|si)|viendrai|serai|suis pas (?:sûr|certain|d'accord))\w+ (?:\w+ )?(?:pas|aucune?|rien|jamais)(?! (?:venir|attendre|assister|croire|encore|d'objection|de doute))\b
        [^,;]{1,60}? est (?:quelque chose|une chose|un sujet|une demande) (?:que|qu'|à laquelle|dont) ?je (?:ne|n')
        [^,;]{1,60}? (?:dépasse|sorte?|excède|outrepasse|va au-delà|est hors)(?: [^\s,;]+){0,6}? (?:mes|mon|ma|je|j'ai|me|m'est)\b
        (?:de |que )?(?:ne pas|n') ?(?:avoir|disposer|posséder|détenir)(?: [^\s,;]+){0,3}? (?:d'|de |l'|les |des )?(?:\w+ )?(?:détails|informations?|éléments|données|accès|contexte|réponse|connaissances)\b
        [^,;]{1,60}? (?:ne fait pas partie|ne font pas partie|n'est pas (?:quelque chose|une chose)|ne relève pas)(?: [^\s,;]+){0,5}? (?:je|mes|mon|ma)\b
        nous ne (?:vous |le |la |les )?pouvons (?:pas|malheureusement pas) (?:discuter|parler|divulguer|partager|aider|répondre|commenter|communiquer|fournir|en (?:parler|discuter))\b
        <unable>(?= (?:vous |te |le |la |l'|y )*(?!<felt>)\w+)
        (?:de |d')?(?:devoir|être (?:contrainte?|obligée?) de) (?:refuser|décliner)|je n'arrive pas à (?:vous |te )?(?!croire|attendre)\w+
    """,
    not_after=r"(?:peux|sais|ai|pourrai) pas encore|peux encore|m'empêcher|trop (?:vous |te )?(?:insister|recommander|souligner)|ne peux que|assez (?:recommander|insister|souligner)|attendre de|(?:peux|pourrai) pas (?:attendre|croire|imaginer|dormir|vivre|me plaindre|résister)|(?:assez|suffisamment) (?:vous |te |t')?(?:remercier|dire)",
    contrasts="mais|cependant|toutefois|néanmoins|en revanche|par contre",
    offers=r"""
        je (?:peux|pourrais|serais|suis|serai|vous|te|reste|ferai|vais|souhaite|recommande|suggère|ne|n'|comprends|dois|préfère|veux)
        (?:j'essaierai|j'aimerais|si|n'hésitez|n'hésite|peut-être|avec plaisir|c'est|ce n'est|cela|merci|veuillez|y a-t-il|est-ce|il (?:est|serait|vaut)|pas)
        (?:vous|tu) (?:pouvez|devriez|pourriez|peux|devrais)(?: \w+)? (?:consult|contact|demand|parl|adress|reformul|vous adress)\w+
    """,
    helps=r"voici",
)
