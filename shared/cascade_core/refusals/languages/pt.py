"""How Portuguese refuses."""

from cascade_core.refusals.language import Language

LANGUAGE = Language(
    script="latin",
    hints="""advogada autoridade ter
        irresponsável impedem impede ultrapasse foge inapropriado nada lembro nenhum farei
        poderei conseguirei possuo poder conseguir excede ultrapassa faltam falta suficientes suficiente permitido opinar preferiria abstenho vou além sei
        não nao posso consigo lamento sinto desculpe desculpa recusar recusar-me recuso declinar
        receio impossível incapaz prefiro preferia sou apenas viola contra fora desconheço nenhuma""",
    parts={
        "felt": r"(?:esper|acredit|evit|deix|imagin|neg|reclam|queix|agradec|recomend|compar|ir\b|vir\b|estar|ficar|aceit|viv|dorm|encontr|esque|perd|suport|quer|par|aguent|resist|cheg|acompanh|lembr|ver\b)[\w-]*",
        "ai": r"(?:uma? )?(?:simples |mero )?(?:modelo(?: de (?:linguagem|língua|ia|inteligência artificial)| linguístico)?|inteligência artificial|ia|assistente(?: (?:virtual|de ia|digital))?|chatbot|bot|máquina|robô)",
        "clitic": r"(?:te |lhe |lhes |o |a |os |as |me |vos |se )*",
        "adverb": r"(?:infelizmente |eu |simplesmente |realmente |atualmente |lamentavelmente |também )*",
        "unable": r"<adverb>(?:não|nao) <clitic>(?:posso|consigo|poderei|poderia|possa|consiga|conseguirei|devo|vou(?: poder| conseguir)?|sou capaz de|pretendo"
        r"|estou (?:em condições de|autorizad[oa] a|habilitad[oa] a|programad[oa] para|apt[oa] a|capacitad[oa] (?:a|para)|em posição de|disposto a|projetad[oa] para)"
        r"|(?:me )?é possível(?: para mim)?|é-me possível|me é permitido|fui (?:projetad|programad|criad)[oa] para|tenho (?:permissão para|autorização para|a capacidade de|capacidade de|capacidade para|como|condições de))(?: infelizmente)?"
        r"|sou incapaz de|é-me impossível|me é impossível|estou impossibilitad[oa] de|estou impedid[oa] de",
        "do": r"(?:(?:o|a|lhe|te|me) )?(?:ajud\w+|auxili\w+|assisti-l[oa]|respond\w+|fornec\w+|d(?:ar|á)\b\w*|dar-\w+|prest\w+|oferec\w+|faz\w+|atend\w+|cumpri\w+|continu\w+|prossegui\w+|compartilh\w+|partilh\w+"
        r"|fal\w+|escrev\w+|redigi\w+|cri\w+|ger\w+|produz\w+|acess\w+|aced\w+|abri\w+|sent\w+|naveg\w+|execut\w+|process\w+|realiz\w+|complet\w+|revel\w+|divulg\w+|discuti\w+|coment\w+|trat\w+|opin\w+|diz\w+|verific\w+|confirm\w+|satisfaz\w+|ter|expressar|diagnostic\w+|prever|particip\w+ (?:de|d)(?:isso|iss\w+|ess\w+)|apoi\w+|indicar|efetu\w+|emit\w+|mostr\w+|estabelec\w+|conect\w+|predizer|explicar como|ver (?:imagens|fotos|arquivos|o seu|a sua)|aconselh\w+)",
        "rules": r"(?:diretrizes|políticas?|normas|regras|princípios|programação|valores|termos|orientações|padrões)",
    },
    apologies=r"""
        (?:desculp(?:e|a|as|em)|perdão|peço desculpas?) (?:a|pela|o|pelo) (?:confusão|transtorno|incômodo|incómodo|mal-entendido|inconveniente)|receio(?= não)
        (?:eu )?(?:sinto|lamento)(?: muito| imenso| imensamente| profundamente| informar| dizer| ter de dizer)*(?: que)?(?! (?:o|a|pelo|pela|que (?:o|a)|por|saber|ouvir|muito pel[oa]))|(?:me |mil |minhas |as minhas |peço |pedimos |peço-lhe )*desculp(?:e|as?|em)(?:-me)?(?! (?:o|a|pel[oa]|por)\b)|(?:me )?perdo(?:e|a)(?:-me)?|perdão(?! pel)
        (?:eu )?receio(?: que)?(?! que sim)|temo(?: que)?(?! que sim)|peço perdão
        infelizmente|lamentavelmente|no momento|atualmente|de momento|com todo o respeito|sinceramente|honestamente
        (?:como|enquanto|sendo|por ser|visto que sou|já que sou)(?: apenas| só)? <ai>(?: (?:desenvolvid|criad|treinad)[oa] (?:pela?|por) \w+)?(?=,| (?:eu|não))
        (?:com )?(?:pesar|pena minha)|foi mal|lastimo|é com pesar(?: que)?|(?:eu )?temo(?: que)?(?! sim)|que pena|perdão
        (?:sinto|lamento) muito mesmo|sinto mesmo muito
        (?:desculp(?:e|a|as|em)|perdão|peço desculpas?) (?:a|pela|o|pelo) (?:confusão|transtorno|incômodo|incómodo|mal-entendido|inconveniente)
    """,
    leads=r"""
        (?:olá|oi|bom dia|boa tarde|car[oa]|prezad[oa]),? [^\s,;]{1,20}(?=, \w)
        mas|porém|contudo|no entanto|entretanto|portanto|por isso|então|e|pois|logo|já que|porque|todavia
        olá|oi|bom dia|boa tarde|hmm+|ah|é|bem
        para ser (?:sincer|honest)[oa]|por (?:razões|motivos) (?:de segurança|legais|éticos|éticas|de privacidade)
        em (?:sã |boa )?consciência|na verdade|francamente|por agora|por enquanto|por ora|eu
    """,
    prefaces=r"""
        (?:muito )?obrigad[oa]|agradeço|(?:eu )?(?:entendo|compreendo|percebo|aprecio|sei que|vejo|reconheço)
        (?:embora|apesar|ainda que|mesmo que|por mais que)|(?:eu )?(?:gostaria|adoraria)|é uma (?:ótima|boa|excelente|pergunta)|(?:quanto|sobre|em relação|relativamente|com relação)
        (?:a )?(?:sua|tua) (?:pergunta|solicitação)|(?:sinto|lamento)|devido
        sem (?:acesso|mais|ess|o|a)|para (?:proteger|respeitar)|(?:dado que|visto que|uma vez que|já que|como)|(?:você )?tem razão|imagino|sei que
        (?:o|a|os|as|este|esta|estes|estas|esse|essa|esses|essas|o seu|a sua) ?(?:documentos?|textos?|contexto|fontes?|informaç\w+|arquivos?|ficheiros?|trechos?|artigos?|excertos?|manual|dados)\b
        (?:boa|ótima|excelente) (?:pergunta|ideia)
        uma (?:ótima|boa|excelente|pergunta)|(?:essa|esta) é uma
    """,
    refusals=r"""
        (?:<unable>) (?:infelizmente |diretamente |legalmente )?(?:<do>)|<unable> com (?:isso|isto|essa|esse)
        <unable>$|<unable>(?=,? (?:mas|porque|pois))|(?:receio )?não (?:poder|conseguir|ser capaz de) (?:ajud|respond|auxili|atend|fornec|dar)\w*(?:-\w+)?
        (?:devo|tenho (?:de|que)|preciso(?: de)?|vou ter (?:de|que)|sou obrigad[oa] a|vejo-me obrigad[oa] a|terei (?:de|que)|prefiro)(?: (?:respeitosamente|educadamente|gentilmente))? (?:recusar|declinar|negar|dizer (?:que )?não|rejeitar|me abster|abster-me)(?:-me)?|(?:eu )?(?:me )?recuso(?:-me)? a?|declino
        prefiro não|preferia não|preferiria não|não (?:desejo|quero|pretendo|me sinto confortável (?:em|para)|gostaria de) (?:fal|escrev|respond|discut|trat|coment|ajud|particip|abord)\w*
        (?:(?:isso|isto|esse|este|essa|esta)(?: \w+)? )?não é (?:algo|um (?:tema|assunto|pedido)|uma coisa)(?: (?:em|com|de|a|para|no|sobre))?(?: (?:que|qual|o qual))? (?:eu )?(?:o |te |lhe )?(?:poss[ao]|consig[ao]|esteja|estou|seja)
        (?:isso|isto|esse|este|essa|esta|o|a|tal)(?: \w+){0,3} (?:vai|viola|infringe|contraria|fere|está|fica|foge|é contrári[oa]|não está|descumpre|desrespeita|excede|ultrapassa)(?: contra| em desacordo com| fora| a| ao| das?| dos?| do| além)*(?: de)? ?(?:as |os |o |a )?(?:minh?as?|meus?|noss[ao]s?|da|das|do|dos)(?: \w+){0,1}? (?:<rules>|capacidades?|competências?|âmbito|escopo|alcance|conhecimentos?|funções)
        (?:as )?minhas? <rules>(?: \w+)? (?:não )?(?:me )?(?:o )?(?:permitem|proíbem|impedem)(?:-me)?
        (?:eu )?não (?:tenho|disponho|possuo|disponho atualmente|tenho atualmente)(?: (?:de|nenhum\w*|qualquer|o|a|um\w*|suficientes?|bastante|informações|dados|opiniões|infelizmente|direto|conhecimento))* (?:acesso|informaç\w+|dados|contexto|detalhes|conhecimentos?|capacidade|opini\w+|sentimentos?|emoções|consciência|preferências|crenças|experiências?|memória|autorização|permissão|meios|suficientes?|ideia|elementos|a resposta)
        (?:eu )?(?:sou (?:apenas|só|somente|simplesmente|unicamente)|não passo de|apenas sou) <ai>|(?:eu )?sou <ai>(?:,| e)(?: portanto| por isso)? não|faltam-me
        (?:eu )?(?:isso )?não (?:o )?sei(?! (?!respond|ajud|diz|faz)\w+(?:ar|er|ir)\b)(?! (?:você|vocês|tu|se você|o que (?:você|acha|pensa)|quanto a|como você|a senhora|o senhor|vós))|não (?:faço (?:a mínima |a menor )?ideia|saberia dizer|conheço a resposta|tenho (?:a menor )?ideia|tenho certeza(?:$| de qual))|desconheço|sem ideia
        (?:seria|não seria|é|não é) (?:inadequado|antiético|irresponsável|inapropriado|apropriado|ético|adequado)|(?:pedido|solicitação|acesso) (?:recusad|negad|rejeitad)[ao]|impossível (?:ajud|respond|atend)\w+|as informações fornecidas não
        (?:com|em|para|a|sobre|n|d|de)(?: ?)(?:isso|isto|esse|este|essa|esta)(?: \w+){0,2}? (?:<unable>|não <clitic>(?:posso|consigo|sei|poderei))|(?:isso|isto) (?:eu )?<unable>
        <unable> (?!<felt>)\w+r(?:-\w+)? (?:(?:a|com|em|de|sobre|por|para|à|ao) )?(?:(?:o|a|os|as) )?(?:n|d)?(?:seus?|suas?|teus?|tuas?|vossos?|esses?|essas?|estes?|estas?|isso|isto|nenhum\w*|qualquer|tais|tal|ess[ea] tipo|links|imagens|arquivos|ficheiros|pagamentos|reembolsos|chamadas|reservas)\b
        <unable> (?!<felt>)\w+-(?:lhe|te|vos|lo|la|l[oa]s)\b|(?:não|nao) (?:te|lhe|vos|o|a) (?:posso|consigo|poderei|vou) (?!<felt>)\w+|<unable> (?:te|lhe|vos|o|a) (?!<felt>)\w+r\b
        (?:não|nao) (?:me )?(?:é|será|seria|foi|está|sou) (?:\w+ )?(?:me )?(?:possível para mim|permitido|dado|autorizad[oa]|permitid[oa])|não me (?:é|será|seria|foi|está) (?:\w+ )?(?:possível|permitido|dado|concedido)|(?:é|está|foi)-me (?:\w+ )?(?:vedado|proibido|impossível)|não (?:é|será) possível para mim|não me (?:cabe|compete)|não cabe a mim|não há (?:como eu|nada que eu|forma de eu|maneira de eu)|não tenho (?:como|jeito|o direito)
        não há (?:\w+ )?(?:informações|dados|elementos|detalhes|contexto) (?:suficientes?|bastantes?)|não há suficientes?|(?:me )?falta[m]?(?:-me)? (?:informações|dados|elementos|detalhes|contexto|a capacidade|acesso|autorização)|as informações (?:não são suficientes|são insuficientes)
        (?:iss?o|isto|ess[ea]|est[ea]|a|o|tal)(?: \w+){0,4}? (?:vai|vão|está|fica|foge|sai|é|excede|ultrapassa|supera|extrapola|escapa)(?: (?:muito|além|fora|contra|contrári[oa]|de|do|da|dos|das|a|ao|à|aos|às|alcance|âmbito|escopo))* ?(?:o |a |os |as )?(?:meus?|minhas?|que (?:eu )?(?:posso|consigo)|nossas? <rules>|nossos? <rules>)\b
        (?:isso|isto|ess[ea]|est[ea])?(?: \w+)? ?não é (?:uma? )?(?:algo|tarefa|tema|assunto|coisa|pedido|solicitação|pergunta)(?: (?:em|com|a|de|sobre|para|no|na))?(?: (?:o|a))? ?(?:que|qual) (?:eu )?(?:te |lhe |me |o )?(?:poss[ao]|consig[ao]|esteja|seja|faça|sinta)
        não (?:sou|estou|fui|me encontro) (?:\w+ )?(?:qualificad|capacitad|habilitad|autorizad|programad|projetad|concebid|treinad|preparad|equipad|formad|dispost|apt|em (?:posição|condições)|capaz|a pessoa|ninguém para)\w*
        não me sinto (?:\w+ )?(?:confortável|à vontade|bem|capaz|apt)\w*|sinto-me desconfortável|não (?:fico|estou) (?:confortável|à vontade)
        (?:eu )?não (?:tenho|disponho|possuo|conto|recebi|me foi dado|conheço)(?: [^\s,;.]+){0,4}? (?:acesso|informaç\w+|dados|contexto|detalhes|conhecimentos?|capacidade|opini\w+|permiss\w+|autorização|forma|maneira|meios|ferramentas?|elementos|registros?|registos?|resposta|possibilidade|credenciais|competências?|qualificaç\w+|visibilidade|corpo|sentimentos)\b
        (?:prefiro|preferia|preferiria|escolho|opto por|devo|gostaria de) (?:não|me abster|abster-me|evitar)|(?:eu )?(?:me abstenho|abstenho-me|vejo-me|me vejo) ?(?:forçad\w+|obrigad\w+)?|(?:sou|estou) (?:forçad|obrigad)[oa] a|recusarei|vou recusar
        não (?:te |lhe |o )?(?:ajudarei|escreverei|farei|darei|fornecerei|responderei|criarei|gerarei|participarei|partilharei|compartilharei|divulgarei|revelarei|colaborarei)|não vou (?:te |lhe )?(?!<felt>)(?:ajud|escrev|cri|ger|fornec|particip|respond|divulg|revel|compartilh|partilh)\w+
        (?:iss?o|isto|ess[ea]|est[ea]|a|o|tal)?(?: ?[^\s,;]+){0,4}? ?(?:vai além|foge|excede|ultrapassa|ultrapasse|supera|está fora|fica fora|sai|extrapola|está além)(?: [^\s,;]+){0,5}? (?:posso|consigo|me|meu|minha|minhas|meus|sei)\b
        (?:as minhas|minhas|os meus|as nossas|as|os) (?:\w+ )?(?:<rules>|instruções|criadores|limitações)(?: \w+)? (?:não )?(?:me )(?:o )?(?:impedem|proíbem|permitem|obrigam|deixam)|(?:as )?minhas <rules> (?:impedem|proíbem|não permitem)\b
        (?:seria|é) (?:\w+ )?(?:irresponsável|inapropriado|inadequado|antiético|imprudente|perigoso|desonesto) (?:da minha parte|de minha parte|para mim|eu)
        não (?:me lembro|me recordo|lembro|recordo|guardo|armazeno|retenho|mantenho) (?:de |das |dos |d)?(?:nada|nossas?|nossos?|as|os|conversas|memória|nenhum\w*|registro)
        não (?:encontrei|achei|consegui|pude|localizei|encontro|vejo|consigo|posso)(?: (?:encontrar|localizar|achar|ver))? (?:ess[ae]|est[ae]|isso|nada|nenhum\w*|a|o|as|os|uma?|a sua|o seu)(?: \w+)? ?(?:informaç\w+|reservas?|pedidos?|encomendas?|respostas?|menção|registros?|contas?|detalhes?|referências?|resultados?|dados|assinatura|fatura|histórico)\b
        (?:isso|isto|[^\s,;]+r (?:[^\s,;]+ ){1,3}?é) (?:\w+ )?(?:algo|uma coisa|um tema) (?:que|com que|em que|sobre o qual) (?:eu )?não
        não (?:disponho|tenho)(?: \w+)? (?:de )?nenhum\w* (?:\w+ )?(?:ferramenta|meio|modo|dado|elemento|função|forma)\w*
        <unable> (?:tomar|decidir|escolher|fazer|assinar) \w+(?: \w+){0,3}? (?:por você|por ti|por si|em seu nome|no seu lugar)
        (?:não|nao),? (?:eu )?<unable> (?:<do>)
        (?:eu )?não sou (?:uma? )?(?:\w+ )?\w+(?:,| e| nem| portanto|, portanto|;)+ (?:portanto |por isso )?não (?:posso|devo|estou|consigo)|não sou (?:uma? )?(?:advogad|médic|doutor|profissional|human|pessoa|psicólog|terapeuta|consultor|especialista)\w*
        (?:eu )?não (?:tenho|disponho|possuo)(?: [^\s,;.]+){0,3}? (?:autoridade|poder|competência|direito|alçada)\b
        (?:iss?o|isto|ess[ea]|est[ea]|a|o|tal)(?: [^\s,;]+){0,3}? (?:vai|viola|infringe|contraria|é)(?: contra| contrári[oa])?(?: a| à| às| aos?)? ?(?:as?|os?)? ?(?:noss[ao]s?|minhas?|meus?) (?:\w+ )?(?:<rules>|política)
        (?:eu )?não (?:tenho|disponho d\w+|conheço) (?:o|a|os|as|seus?|suas?) (?:[^\s,;]+ ){1,4}?(?:atua(?:l|is)|exat[oa]s?|recentes?|precis[oa]s?|complet[oa]s?|necessári[oa]s?)\b
        (?:vou ter (?:de|que)|tenho (?:de|que)) (?:passar (?:essa|esta)|dizer que não)
        não <clitic>poderei (?!<felt>)\w+r\b
    """,
    weak=r"""
        <unable>(?! (?:deixar|esperar|comparecer|ir|participar|vir|estar|aceitar|encontrar|recomendar(?! um)|evitar|parar|acreditar|ver))
        (?:por |de |que )?não (?:poder|conseguir|ser capaz de|estar (?:em condições de|autorizad[oa] a))(?! (?:ir|vir|estar|comparecer|participar|aceitar|esperar|ficar))\w*
        (?:eu )?não <clitic>(?!<felt>|posso|consigo|creio|acho|duvido|penso|entendo|tod|tud|muit|iss|ist|irei|estarei|serei|como|quando|vejo por|tenho (?:dúvidas?|objeç\w+|tempo|problemas?)|encontro erros|quero)(?:\w+o|\w+rei|dou|vou|sei)\b
        [^,;]{1,60}? é (?:algo|uma coisa|um tema|um pedido) (?:que|com que|em que|a que|sobre o qual) (?:eu )?não
        [^,;]{1,60}? (?:ultrapass[ae]|exced[ae]|supera|supere|foge|fuja|vai além|vá além|está fora)(?: [^\s,;]+){0,6}? (?:posso|me|meu|minha|minhas|meus)\b
        (?:de |por )?não (?:ter|dispor de|possuir)(?: [^\s,;]+){0,3}? (?:detalhes|informaç\w+|elementos|dados|acesso|contexto|resposta|conhecimentos?)\b
        [^,;]{1,60}? não (?:é|são|faz parte|fazem parte)(?: [^\s,;]+){0,4}? ?(?:algo|uma coisa|do que|um tema|tarefas)(?: (?:com|em|de|sobre))?(?: que| o qual)? ?(?:eu )?(?:poss|consig|seja|esteja|me )\w*
        (?:disso |sobre isso )?não podemos (?:discutir|falar|revelar|partilhar|compartilhar|ajudar|responder|comentar|tratar|divulgar)\b
        [^,;]{1,60}? é algo que (?:eu )?não
        (?:de )?(?:ter (?:de|que)|ser obrigad[oa] a|dever) (?:recusar|declinar|rejeitar)
    """,
    not_after=r"ainda não (?:posso|consigo|sei|há)|não (?:posso|consigo) (?:ainda|deixar de|esperar|evitar|parar de)|o suficiente|o bastante|posso senão|não (?:posso|consigo) (?:acreditar|imaginar|negar|reclamar|dormir|viver|resistir)\w*|(?:agradec|recomend)\w+ (?:\w+ ){0,3}(?:o suficiente|o bastante)",
    contrasts="mas|porém|contudo|no entanto|entretanto|todavia",
    offers=r"""
        (?:eu )?(?:te |lhe |o |a |me )*(?:posso|poderia|gostaria|adoraria|ficaria|ficarei|estou|estarei|recomendo|sugiro|aconselho|ofereço|tentarei|farei|terei|fico|vou|ajudo)
        (?:se|caso|não|por favor|talvez|fique|sinta-se|há|com (?:prazer|gosto)|isso|isto|é|entendo|agradeço|obrigad[oa]|terei|sempre)
        (?:você |o senhor |a senhora |tu )?(?:pode|podes|poderia|deve|deveria)(?: \w+)? (?:consult|contat|contact|procur|fal|pergunt|reformul)\w+
    """,
    helps=r"aqui (?:está|estão|vai|vão)|eis",
)
