"""How Spanish refuses."""

from cascade_core.refusals.language import Language

LANGUAGE = Language(
    script="latin",
    hints="""pasar
        irresponsable impiden impide haré prohíben prohíbe inapropiado recuerdo nada
        pueda poseo permite permitido permitida suficiente suficientes falta faltan ningún ninguna allá resulta
        fuera excede supera no puedo podré podría podemos lamento siento sé capaz posible autorizado autorizada
        tengo dispongo cuento carezco soy imposible debo rechazar declinar negarme niego prefiero
        preferiría incapaz contra infringe viola desconozco va incumple conozco""",
    parts={
        "felt": r"(?:esper|cre(?:er|o)|evit|dej|imagin|neg|quej|agradec|recomend|asist|ir\b|ven|estar|acept|viv|dorm|encontr|olvid|perd|soport|quer|par|aguant|resist|llegar|acud|acompañ|recordar)\w*",
        "ai": r"(?:una? )?(?:modelo(?: de (?:lenguaje|ia|inteligencia artificial)| lingüístico)?"
        r"|inteligencia artificial|ia|asistente(?: (?:virtual|de ia|digital))?|chatbot|bot|máquina)",
        "clitic": r"(?:te |le |les |os |se |lo |la |los |las |me )*",
        "adverb": r"(?:lamentablemente |desgraciadamente |simplemente |realmente |tampoco |por desgracia )?",
        "unable": r"<adverb>no <clitic>(?:puedo|podré|podría|voy a poder|soy capaz de"
        r"|estoy (?:en condiciones de|en posición de|autorizad[oa] (?:a|para)|capacitad[oa] para"
        r"|programad[oa] para|diseñad[oa] para|facultad[oa] para|dispuest[oa] a|en capacidad de)"
        r"|me (?:es|resulta|será) posible|me está permitido|es posible para mí"
        r"|tengo (?:permitido|permiso para|la capacidad de|capacidad para|la posibilidad de)|debo|voy a)"
        r"|soy incapaz de|me (?:es|resulta|será) imposible|me veo incapaz de",
        "do": r"ayud\w+|asisti(?:r[tl]e|rles|ros|rl[oa]s?)|respond\w+|contest\w+|proporcion\w+|facilit\w+"
        r"|ofrec\w+|d(?:ar|ár)\w*|brind\w+|atend\w+|cumpl\w+|hac\w+|continu\w+|segui\w+|compart\w+"
        r"|habl\w+|opin\w+|cre\w+|escrib\w+|redact\w+|gener\w+|proces\w+|acced\w+|abr\w+|realiz\w+"
        r"|complet\w+|revel\w+|discut\w+|coment\w+|trat\w+|particip\w+|sent\w+|naveg\w+|verific\w+"
        r"|confirm\w+|dec\w+|satisf\w+|suministr\w+|entreg\w+|tener|mostr\w+|divulg\w+|aconsej\w+"
        r"|recomend\w+ (?:eso|ningun\w+|medicament\w+)|promov\w+|apoy\w+|colabor\w+|ejecut\w+|aten\w+"
        r"|busc\w+|llam(?:ar|arte|arle) (?:a|por)|reserv\w+|cancel\w+|modific\w+|consult\w+|calcul\w+|traduc\w+|ver (?:im[aá]genes|fotos|archivos|tu|su)|diagnostic\w+|predecir|emit\w+|establec\w+|conect\w+|dict\w+|tram\w+|avanz\w+",
        "rules": r"(?:direct\w+|pol[ií]tic\w+|norm\w+|principios|reglas|programación|pautas|valores|lineamientos)",
    },
    apologies=r"""
        (?:siento|lamento|debo|tengo que|he de) (?:mucho )?(?:decir|informar|comunicar)(?:le|te|les|os)?(?: \w+)? que(?= no)
        (?:lo |de verdad |sinceramente |realmente )*(?:siento|lamento)(?: mucho| muchísimo| de verdad)?(?: (?:decirl?t?e|informarl?t?e|comunicarl?t?e|tener que decirl?t?e))?(?: que)?(?! (?:el|la|los|las|su|tu|se|haya|oír|escuchar))
        (?:me )?disculp[ea]s?(?:me|n)?(?! (?:por|el|la))|perd[oó]n[ae]?(?:me)?(?! (?:por|el|la))|(?:mis |mil |te |le )*(?:pido )?(?:disculpas|perdón)(?! por)
        me temo(?: que)?(?! (?:sí|que sí))|me disculpo|temo(?: que)?
        lamentablemente|desafortunadamente|desgraciadamente|por desgracia|infortunadamente|con todo respeto|en este momento|actualmente
        (?:como|al ser|siendo|dado que soy|ya que soy|por ser) (?:sol[oa] |simplemente |únicamente )?<ai>(?: (?:desarrollad|cread|entrenad)[oa] por \w+)?(?=,| no)
        (?:mil |te pido |le pido |pido |ofrezco )*(?:perdón|disculpas)(?! por)|qué pena|me apena(?: decirte| decirle)?(?: que)?|sintiéndolo mucho|con pesar|muy a mi pesar|me sabe mal
        (?:disculpa|disculpe|disculpen|perdone|perdona|perdón por|lamento|lamentamos) (?:las|la|los) (?:molestias|confusión|inconvenientes?)
        (?:al|por|como) (?:ser|soy) (?:sol[oa] |simplemente )?<ai>
    """,
    leads=r"""
        (?:hola|buenas|buenos días|estimad[oa]),? [^\s,;]{1,20}(?=, \w)
        pero|sin embargo|no obstante|así que|por (?:lo )?tanto|por eso|y|ya que|porque|entonces
        hola|buenos días|buenas(?: tardes)?|no|mmm+|hmm+|eh|ay|vaya|bueno
        para ser (?:sincer|honest)[oa]|sinceramente|por (?:razones|motivos) (?:de seguridad|legales|éticas|éticos|de privacidad)
        (?:en|a) (?:buena )?conciencia|la verdad(?: es que)?|francamente|honestamente|de momento|por ahora|por el momento|yo
    """,
    prefaces=r"""
        (?:muchas )?gracias|te agradezco|le agradezco|agradezco
        (?:entiendo|comprendo|aprecio|sé que|veo que|valoro|reconozco)
        (?:aunque|si bien|a pesar de)|me (?:gustaría|encantaría)|ojalá
        (?:es|esa es|esta es|qué) (?:una )?(?:muy )?(?:buena|gran|excelente|interesante|pregunta)
        (?:respecto|en cuanto|con respecto|sobre|en relación)|su (?:pregunta|consulta|solicitud)|tu (?:pregunta|consulta|solicitud)
        (?:siento|lamento)|debido a|por
        sin (?:acceso|más|esa|la|los|su|tu)|para (?:proteger|respetar)|(?:ya que|dado que|puesto que|como)|esa (?:es|decisión)|sé que|tiene[s]? razón
        (?:el|la|los|las|este|esta|estos|estas|su|tu|sus|tus|mi|mis) (?:documentos?|textos?|contextos?|fuentes?|información|archivos?|pasajes?|artículos?|fragmentos?|manual|datos|registros?)\b
        (?:buena|gran|excelente|interesante) (?:pregunta|idea)
    """,
    refusals=r"""
        (?:<unable>) (?:(?:cómo |en absoluto |directamente |legalmente )?(?:<do>)|con (?:eso|esa|esto|esta))
        <unable>$|<unable>(?=,? (?:pero|porque|ya que))
        (?:debo|tengo que|he de|necesito|me veo en la obligación de|me veo obligad[oa] a|prefiero|tendré que|voy a tener que)(?: respetuosamente| amablemente| cortésmente)? (?:declinar|rechazar|negarme|rehusar|decir que no|abstenerme)|me niego a|rechazo (?:esta|esa|tu|su|hacer|escribir)|declino
        (?:prefiero|preferiría|elijo|opto por) no
        (?:eso|esto|ese|este|esa|esta)(?: tema| asunto| petición| solicitud)? no es algo (?:en |con |de |a )?(?:lo )?que (?:yo )?(?:te |le )?(?:pued[ao]|esté|sea|haga)|no es algo (?:en|con) (?:lo )?que (?:te |le )?pued[ao]
        (?:eso|esto|esta|esa|la|su|tu)(?: \w+){0,3} (?:va|van|iría|infringe|viola|incumple|contraviene|vulnera|es contrari[oa]|está fuera|queda fuera|se sale|excede|atenta)(?: en)?(?: a| contra| de)*(?: contra de)? (?:mis?|nuestr[oa]s|las|los)(?: \w+){0,2}? (?:<rules>|capacidades|posibilidades|alcance|ámbito|conocimientos?|funciones|competencias?)
        mis? <rules>(?: de \w+)? (?:no )?(?:me )?(?:lo )?(?:permiten?|impiden?|prohíben?)
        (?:yo )?no (?:tengo|dispongo|cuento|poseo)(?: de| con)?(?: (?:ningún|ninguna|la|el|los|las|suficientes?|bastante|toda|opiniones|tipo|una|de|información))* (?:acceso|información|datos|contexto|detalles|conocimientos?|capacidad|opini\w+|sentimientos|emociones|conciencia|preferencias|creencias|experiencias|memoria|autorización|permisos?|forma de|manera de|suficientes?)
        carezco de|tengo prohibido|tengo entendido que no puedo
        (?:yo )?(?:sol[oa] soy|soy (?:sol[oa]|solamente|simplemente|únicamente|tan sol[oa])|no soy más que|sólo soy) <ai>|soy <ai>(?:,| y)(?: por lo tanto)? no
        (?:yo )?no (?:lo )?sé(?! (?!respond|contest|dec|ayud|hac)\w+(?:ar|er|ir)\b)(?! (?:tú|ustedes|usted|vosotros|vos|si a|qué opin|qué piens|cómo lo|a ti))|no (?:tengo (?:ni )?idea|conozco la respuesta|sabría decir\w*)|desconozco|ni idea|no estoy segur[oa](?:$| de la| de qué)
        no (?:es|sería) (?:apropiado|ético|adecuado|correcto|posible para mí)(?: para mí| por mi parte| que yo)?(?: (?:que|ayud|proporcion|dar|compart|habl|coment|opin|respond)\w*)|(?:sería|resultaría) (?:inapropiado|irresponsable|poco ético|inadecuado)
        no (?:me siento cómod[oa]|deseo|quiero|pienso|hablo) (?:habl|escrib|respond|crean|coment|ayud|hac|trat|particip|con|de|sobre)\w*
        (?:solicitud|petición|acceso) (?:denegad|rechazad)[oa]|imposible (?:ayud|respond|atend)\w+|la información proporcionada no
        (?:con|en|para|a|sobre|de) (?:eso|esa|ese|esto|esta|este|su|tu)(?: \w+){0,3}? (?:<unable>|no <clitic>(?:puedo|podré|sé))
        (?:eso|esto|ese tipo de \w+|esa \w+)(?: es algo que)? (?:yo )?<unable>
        <unable> (?!<felt>)\w+r(?:te|le|les|os|se)?(?:l[oa]s?)? (?:(?:a|con|en|de|sobre|por) )?(?:sus?|tus?|vuestr\w+|est[aeo]s?|es[aeo]s?|ningun[oa]?|ningún|tal(?:es)?|dich[oa]s?|pagos|reembolsos|enlaces|imágenes|archivos|llamadas|reservas)\b
        <unable> (?!<felt>)\w+r(?:te|le|les|os)(?:l[oa]s?)?\b|no (?:te|le|les|os) (?:l[oa]s? )?(?:puedo|podré|podría|voy a) (?!<felt>)\w+
        no se me (?:permite|autoriza|ha \w+|está \w+)|(?:se me|me) (?:prohíbe|ha prohibido|está prohibido)|tengo prohibido|no me (?:está|es) (?:permitido|dado|posible)|no me corresponde|no me resulta posible|no (?:es|será|sería) posible (?:para mí|que yo)|no hay (?:forma|manera|modo) de que (?:yo )?(?:pueda|acceda|vea)|no hay nada que (?:yo )?pueda
        no hay (?:\w+ )?suficientes? (?:información|datos|contexto|detalles)|(?:me )?falta[n]? (?:información|datos|contexto|detalles)|la información (?:no es|es in)suficiente
        (?:es[oa]|est[oa]|es[ae]|est[ae]|su|tu|la|lo que)(?: \w+){0,4}? (?:va|van|está|queda|cae|se sale|sale|se encuentra|es|excede|supera|sobrepasa|rebasa|escapa|se escapa)(?: más)?(?: allá| fuera| contrari[oa]| a| de| en contra)*(?: de| del alcance de)* (?:mis?|lo que (?:yo )?puedo|nuestr[oa]s <rules>)\b
        (?:es[oa]|est[ae]|est[oa]|es[ae]|no)(?: \w+)? ?(?:no )?es (?:un[oa]? )?(?:algo|tareas?|tema|asunto|cosa|petición|solicitud|pregunta)(?: (?:en|con|a|de|sobre|para))?(?: (?:el|la|lo))? (?:que|cual) (?:yo )?(?:te |le |me |lo )?(?:pued[ao]|esté|sea|haga|sienta)
        no estoy (?:capacitad|cualificad|calificad|preparad|formad|entrenad|equipad|habilitad|facultad|diseñad|programad|autorizad|dispuest)[oa]|no (?:soy quién|soy la persona)|no (?:cuento|dispongo|estoy)(?: \w+)? (?:con la|de la|en (?:posición|condiciones|situación|disposición))
        no me siento (?:\w+ )?(?:cómod[oa]|a gusto|capaz|bien)|me siento incómod[oa]|me incomoda
        (?:yo )?no (?:tengo|dispongo|cuento|poseo|me han (?:dado|facilitado|proporcionado)|he recibido)(?: [^\s,;.]+){0,4}? (?:acceso|(?:in)?formación|datos|contexto|detalles|conocimientos?|capacidad|opini\w+|permisos?|autorización|forma|manera|modo|medios|herramientas?|registros?|respuesta|constancia|cualificación|credenciales|posibilidad|cuerpo|sentimientos)
        (?:prefiero|preferiría|elijo|opto por|debo|quisiera) (?:abstenerme|evitar|mantenerme al margen)|me abstengo|(?:voy a|vamos a)? ?tener que (?:declinar|rechazar|negarme)|declin(?:o|aré)|rechazaré|rehúso|me niego
        no (?:te |le |les )?(?:ayudaré|escribiré|haré|daré|proporcionaré|responderé|crearé|generaré|participaré|compartiré|revelaré|colaboraré)
        (?:es[oa]|est[oa]|es[ae]|est[ae]|su|tu|la|lo)?(?: ?[^\s,;]+){0,4}? ?(?:está|queda|cae|va|es|sale|se sale|escapa|excede|supera|sobrepasa|rebasa|se encuentra)(?: más)?(?: allá| fuera)?(?: de| del| a)? (?:lo|los|las|el|la|mi|mis)(?: [^\s,;]+){0,4}? (?:que (?:yo )?(?:se me|me|puedo|debo|sé|estoy|tengo)|puedo|me (?:es|está))
        (?:mis?|las|los|nuestr[oa]s) (?:\w+ )?(?:<rules>|instrucciones|creadores|limitaciones)(?: \w+)? (?:no )?(?:me |nos )(?:lo )?(?:permiten?|impiden?|prohíben?|obligan?|dejan?)
        (?:sería|es|resultaría) (?:\w+ )?(?:irresponsable|inapropiado|inadecuado|incorrecto|poco ético|peligroso|imprudente) (?:por mi parte|de mi parte|que yo)
        no (?:recuerdo|guardo|conservo|retengo|almaceno) (?:nada|nuestr\w+|las|los|ningun\w+|memoria|registro|conversaci\w+)
        no (?:he (?:encontrado|podido|localizado|hallado)|encontré|logré|pude|encuentro|veo|localizo) (?:(?:encontrar|localizar|ver|hallar|acceder a) )?(?:es[aeo]|est[aeo]|nada|ningun[oa]|ningún|l[oa]|la|el|los|su|sus|tu|tus|una?)(?: \w+)? ?(?:información|reserva|pedido|respuesta|mención|registros?|cuenta|detalles?|referencia|resultados?|datos|suscripción|factura|historial)\b
        (?:eso|esto|[^\s,;]+r (?:[^\s,;]+ ){1,3}?)(?: ?es) (?:algo|una cosa|un tema)(?: (?:en|a|de|con|sobre) l[oa])? (?:que|cual) (?:yo )?no
        <unable> (?:tomar|decidir|elegir|hacer|firmar) \w+(?: \w+){0,3}? (?:por ti|por usted|en su nombre|en tu nombre|en tu lugar|en su lugar)
        (?:yo )?no soy (?:un[oa]? )?(?:\w+ )?\w+(?:,| y| ni| así que|, así que|;)+ (?:por (?:lo )?tanto )?no (?:puedo|debo|estoy)|no soy (?:un[oa]? )?(?:abogad|médic|doctor|profesional|human|persona|psicólog|terapeuta|asesor|experto|expert)\w*
        (?:yo )?no (?:tengo|dispongo|cuento|poseo)(?: [^\s,;.]+){0,3}? (?:autoridad|potestad|facultad|facultades|derecho|competencia|competencias)\b
        (?:eso|esto|esta|esa|este|ese|su|tu|la)(?: [^\s,;]+){0,3}? (?:va|van|iría|es|está|infringe|viola|incumple|contraviene)(?: en)?(?: contra| contrari[oa])?(?: de| a)? ?(?:la|las|el|los|nuestr[oa]s?|mis?) (?:\w+ )?<rules>
        (?:yo )?no (?:tengo|dispongo de|conozco) (?:el|la|los|las|sus?|tus?) (?:[^\s,;]+ ){1,4}?(?:actual(?:es)?|exact[oa]s?|recientes?|precis[oa]s?|complet[oa]s?|concret[oa]s?|necesari[oa]s?)\b
        (?:voy a|vamos a)? ?(?:tener que|tengo que) (?:pasar(?= de|$)|abstenerme|decir(?:te|le)? que no)
        no <clitic>podré (?!<felt>)\w+r(?:te|le|les|os|lo|la)?\b
    """,
    weak=r"""
        <unable>(?! (?:esperar|evitar|asistir a|ir|acudir|venir|estar|dejar|aceptar|más|encontrar|recomendarl\w|quejarme|creer))
        (?:de |por |que )?no (?:poder|ser capaz de|estar (?:en condiciones de|autorizad[oa] (?:a|para)))(?! (?:ir|asistir|acudir|venir|estar|acompañar\w*|esperar|quedarme|aceptar|llegar|verte|verl\w))\w*
        no (?:te |le |les |os )?(?:es|va a ser|será) posible para mí|tengo que decir que no
        (?:yo )?no <clitic>(?!<felt>|puedo|creo|dudo|pienso|entiendo|solo|sólo|como|quiero|llegaré|iré|estaré|tod|much|tant|est|es[oa]|cuando|dentro|bajo|tengo (?:dudas?|duda|objeci\w+|tiempo|problema|inconveniente))(?:\w+(?:o|aré|eré|iré)|haré|diré|doy|voy|sé)\b
        [^,;]{1,60}? es (?:algo|una cosa|un tema|una petición) (?:en l[oa] |a l[oa] |con l[oa] )?que (?:yo )?no
        [^,;]{1,60}? (?:excede|supera|sobrepasa|rebasa|está fuera|queda fuera|va más allá|escapa|exceda|supere)(?: [^\s,;]+){0,6}? (?:mis?|me|puedo)\b
        [^,;]{1,60}? no (?:es|son) (?:algo|una cosa|un tema|parte de lo|una de las cosas)(?: (?:en|de|a|con|sobre) l[oa])?(?: que)? ?(?:yo )?(?:pued|podam|está|hag|sea|me )\w*
        (?:de |sobre )?(?:eso |esto )?no (?:lo |le |les |te )?podemos (?:hablar|tratar|discutir|revelar|compartir|ayudar|proporcionar|responder|comentar|facilitar|dar (?:consejo|opini)\w*)\w*|[^,;]{1,40}? no es algo que podamos
        (?:de |que )?(?:deber|tener que|verme obligad[oa] a) (?:rechazar|declinar|negarme)\w*
    """,
    not_after=r"(?:todavía|aún)(?! no)|lo suficiente|lo bastante|puedo (?:evitar|esperar|dejar de|menos que|más que|sino|quejarme|creer)|no puedo (?:creer|imaginar|negar|quej|agradecer|dormir|vivir|parar|esperar)\w*|(?:agradec|recomend|insist|repet)\w+ (?:\w+ ){0,3}(?:lo suficiente|bastante)",
    contrasts="pero|sin embargo|no obstante|aunque|sino",
    offers=r"""
        (?:sí )?(?:que )?(?:te |le |les |os |me )*(?:puedo|podría|podemos|encantaría|gustaría|ofrezco|recomiendo|sugiero|aconsejo|animo|invito|alegraría|alegrará|alegra)
        (?:si|estoy|estaré|estaría|por favor|no dudes|no dude|quizá|tal vez|hay|con gusto|siempre|no|eso|esto|es|entiendo|comprendo|agradezco|gracias|haré|intentaré|será)
        (?:puede|puedes|debería|deberías|podrías|podría)(?: \w+)? (?:consult|contact|habl|pregunt|acud|dirig|busc|reformul)\w+
    """,
    helps=r"aquí (?:tienes|tiene|está|están|va|van)",
)
