"""How English refuses."""

from cascade_core.refusals.language import Language

LANGUAGE = Language(
    script="latin",
    hints="""irresponsible recall nothing
        impossible nor
        couldn didn direct pass can cant cannot not unable t won dont sorry decline refuse against violates beyond
        outside only just rather idea prefer inappropriate unethical guidelines no lack isn unaware
        apologies apologize apologise inability impossible without""",
    parts={
        "felt": r"(?:believe|wait|stand|thank|imagine|blame|remember|find|take|afford|be|go|come|make|join|attend|accept|love|like|miss|forget|hate|fault|resist|praise|recommend|stress|overstate|emphasi[sz]e|help but|say no|sleep|live|agree|meet|hear)\b",
        "act": r"change|reset|cancel|update|modify|edit|alter|delete|remove|send|book|order|buy|purchase|transfer|call|contact|track|locate|submit|sign|approve|grant|issue|refund|activate|unlock|read|interpret|analy[sz]e|evaluate|judge|review|play|run|identify|recogni[sz]e|guess|rank|rate|name|list|quote|reproduce|repeat|translate|obtain|fetch|pull up|load|download|upload|search|guarantee|certify|schedule|arrange|place|tell|give|look (?:up|at)|decide|recommend|prescribe|calculate|solve|build|design|draw|display|show|print|visit|open|edit|publish|post|record|store|keep|save|monitor|log|release|report|supply|forward|invent|fabricate|imitate|mimic|mock|rewrite|debug|hack|bypass|crack|break into|forge|disable",
        "ai": r"(?:large |ai |artificial |virtual |text-based |language |automated |digital )*"
        r"(?:ai|artificial intelligence|language model|assistant|chatbot|bot|model|llm|machine)",
        "so": r"(?:really |simply |just |also |sadly |unfortunately |regrettably |respectfully |"
        r"therefore |personally |honestly |truly |currently |still |only )?",
        "unable": r"i <so>(?:can ?not|can'?t|won'?t(?: be able to)?|will not(?: be able to)?"
        r"|shouldn'?t|should not|must not|may not|don'?t think i can|do not think i can)"
        r"|i(?:'m| am|m) <so>(?:unable|not able|not going|not in a position|not allowed|not permitted"
        r"|not authori[sz]ed|not equipped|not designed|not programmed|not supposed|not prepared"
        r"|not willing|unwilling|incapable|not capable|not qualified|forbidden|prohibited)"
        r"(?: to| of| from)?"
        r"|i(?:'m| am|m) <so>not (?:comfortable|okay|ok)(?: with)?"
        r"|i(?:'m| am) afraid i can'?t|i (?:do not|don'?t) have the ability to",
        "how": r"(?: (?:in good conscience|directly|personally|really|simply|further|ethically"
        r"|responsibly|legally|safely|reliably|accurately|actually|currently|and will not"
        r"|or will not|and won't|be able to))?",
        "do": r"help(?! (?:but|feeling|thinking|wondering))|helping|assist|assisting|answer|answering"
        r"|comply|compl(?:y|ete|eting)|provid(?:e|ing)|discuss(?:ing)?|fulfil+|fulfil+ing|do (?:that|this|so|it"
        r"|what you)|creat(?:e|ing)|giv(?:e|ing)|generat(?:e|ing)|writ(?:e|ing)|produc(?:e|ing)"
        r"|shar(?:e|ing)|engag(?:e|ing)|respond(?:ing)?|process(?:ing)?|offer(?:ing)?|advis(?:e|ing)"
        r"|access(?:ing)?|brows(?:e|ing)|view|verify|disclos(?:e|ing)|reveal(?:ing)?|participat(?:e|ing)"
        r"|endors(?:e|ing)|promot(?:e|ing)|facilitat(?:e|ing)|support(?:ing)? (?:that|this|requests)"
        r"|continu(?:e|ing)|proceed|go (?:along|ahead|into|there)|speculat(?:e|ing)|comment(?:ing)?"
        r"|handl(?:e|ing) (?:that|this|your|requests)|perform(?:ing)?|carry out|execute|honou?r"
        r"|accommodate|entertain|translate (?:that|this)|tell you(?! how)|say(?=$|[,;]| (?:that|anything|more|for|with|if|whether|which))|tell(?=$|[,;])"
        r"|talk about|speak (?:to|about|on)|look (?:that|this|it|up)|open (?:links|urls|files|attachments"
        r"|websites|web pages|that|this|the)|see (?:images?|pictures?|photos?|videos?|files?|your"
        r"|attachments?)|recommend (?:that|any|specific|a specific)|predict|diagnos(?:e|ing)"
        r"|make (?:that|this|such|medical|legal|predictions|jokes|a judgment|up)|meet (?:that|your)"
        r"|find (?:any |an |the |enough )?(?:information|answer)|determine|feel|have (?:opinions|feelings"
        r"|personal|emotions|beliefs|preferences|access)|express|form opinions|experience|listen to"
        r"|watch|hear|draft|compose|describe|explain (?:how|that|this)|impersonate|pretend|be of"
        r"|act as|role-?play|summari[sz]e|check (?:your|that|real|live|current)|retrieve|confirm",
        "request": r"(?:this|that|it|your|the|such|what you(?:'re| are| have)? ask(?:ing|ed)?(?: for)?)"
        r"(?: is| type of| kind of)?(?: request| question| prompt| content| topic| query| task| subject)?s?"
        r"(?: would)?(?: directly| clearly| potentially| may| appears to| seems to)?",
        "rules": r"(?:usage |content |safety |ethical |community |core |own |use |company |openai |internal )*"
        r"(?:guidelines?|polic(?:y|ies)|principles|programming|rules|terms|values|instructions|standards)",
    },
    apologies=r"""
        (?:i'm|i am|im|we're|we are)(?: very| so| really| truly| terribly| deeply)? sorry(?: (?:about|for) (?:that|this|the (?:inconvenience|confusion)))?(?! (?:for|about|your|to hear|that (?:you|your)|you))
        (?:so |very |really |terribly )?sorry(?: about that)?(?! (?:for|about|your|to hear|that (?:you|your)|you))
        (?:my |sincere |please accept my )*apologies(?! for)
        i (?:do |must |sincerely |truly )?apologi[sz]e(?: for (?:the|any) (?:inconvenience|confusion))?(?! for)
        (?:i'm|i am|im) afraid(?: that(?!'))?
        i (?:deeply )?regret(?: to (?:say|inform you|tell you))?(?: that)?
        (?:pardon|forgive|excuse) me
        unfortunately|regrettably|sadly|alas|respectfully|at this time|at the moment|right now|currently
        (?:as|being|since i'm|since i am|given that i'm|because i'm|because i am) (?:just |only |merely )?an? <ai>(?: (?:developed|created|trained|made|built) by \w+)?(?=,| i\b)
    """,
    leads=r"""
        (?:hi|hello|hey|dear)(?: there)?,? [^\s,;]{1,20}(?=, \w)
        let me be (?:direct|clear|honest|frank)|but|however|that said|having said that|instead|so|and|because|since|therefore|thus|as such|for that reason|yet|then
        hmm+|oh|ah|um+|uh|well|no|nope|hi|hey|hello|hi there|hello there|ok|okay|oops|please note(?: that)?
        i (?:have|need|want|am going|'m going) to be (?:honest|clear|upfront|transparent)(?: with you)?
        to be (?:honest|clear|frank)(?: with you)?|honestly|in this case|for (?:safety|legal|ethical|privacy) reasons|with (?:all due )?respect
        i(?:'m| am) (?:honestly |really )?not (?:entirely |quite |completely |really )?(?:sure|certain)|in (?:all |good )?(?:good )?conscience|with regret|as (?:mentioned|noted|stated)(?: above| before| earlier)?
    """,
    prefaces=r"""
        (?:many |thank )?thanks?(?: you)?\b
        i (?:completely |fully |totally |really |certainly |do |can )?(?:understand|appreciate|see|hear|know|get|recogni[sz]e|realize|acknowledge|sympathi[sz]e|empathi[sz]e)(?! (?:it|the answer))
        (?:while|although|though|even though|as much as|much as) (?:i|your|this|that|the|it)
        i(?:'d| would) (?:love|like|be happy|be glad) to|i wish i|i want to help|i'm (?:here|happy|glad) to help|i appreciate
        (?:that's|that is|this is|it's|it is|what) an? (?:very |really )?(?:\w+ )?(?:question|request|topic|idea|issue|one|matter)
        (?:regarding|concerning|as for|about|when it comes to|with regards? to|in regards? to) (?:your|the|this|that)
        (?:i'm|i am|im)(?: very| so| really| truly)? sorry (?:to hear|that you|you|about|for)
        (?:sorry|apologies|i apologi[sz]e) (?:to hear|for|about)
        (?:your|the) (?:question|request|message|interest|safety|privacy)
        it sounds like|it seems(?: like)? you|you(?:'re| are) asking|you asked|i(?:'ve| have) (?:read|reviewed|looked at|considered)
        (?:due to|because of|given|under|per|based on|in line with|in accordance with|out of respect for) (?:my|our|the|privacy|safety|legal|ethical|copyright|company)
        (?:providing|helping|assisting|sharing|writing|creating|doing|giving|discussing|generating|answering) \w+
        without (?:access|the|your|more|any|further)|to (?:protect|keep|respect)|(?:since|because|as) (?:i|this|that|your|the|it|we)\b|if you(?:'re| are| need| want)|(?:this|that|it) (?:sounds|seems|looks)|(?:that's|that is|this is|it's) (?:understandable|clear|important)|i (?:know|hear|get|hope)\b|you(?:'re| are) right
        (?:the|this|these|those|your|my) (?:\w+ )?(?:documents?|texts?|contexts?|sources?|information|files?|passages?|articles?|excerpts?|materials?|manuals?|records?|data)\b
        (?:no|yes|good|great|interesting|fair|excellent) (?:question|point|idea|request)\b
    """,
    refusals=r"""
        <unable><how> (?:<do>)
        i ?(?:have to|must|need to|will have to|am going to(?: have to)?|'m going to(?: have to)?|'m forced to|am forced to|'ll have to|respectfully|'d have to|would have to)(?: \w+ly)? (?:decline|refuse|say no|pass(?: on)?(?=$|[,;:]| (?:on|because|here)))|i (?:decline|refuse)
        i(?:'d| would)(?: much| really)? (?:rather|prefer)(?: to)? not
        <unable>(?:,? but| because|$)
        (?:this|that|it)(?:'s| is|'d be| would be) (?:not something|nothing|not a (?:topic|subject|request|thing)) (?:that )?(?:i|i'm|i am|i'd) (?:can(?!')|could|am|'m|able|comfortable|allowed|permitted|will)
        (?:this|that|it) (?:isn't|is not|wouldn't be|would not be) (?:something|a (?:topic|subject|request|thing)|anything) (?:that )?(?:i|i'm|i am|i'd) (?:can(?!')|could|am|'m|able|comfortable|allowed|permitted|will)|not something i can
        <request> ?(?:go(?:es)? against|violates?|breach(?:es)?|conflicts? with|(?:is|'s) against|isn't in line with|contravenes|(?:falls?|is|'s|lies) (?:well )?(?:outside|beyond|out of)(?: of)?) (?:my|the scope of (?:what i|my)|what i(?:'m| am)? ?(?:can|able to)) ?(?:<rules>|knowledge|capabilities|abilities|scope|expertise|training|area|purview|can|do|help|assist|ethical)?
        (?:this|that|your|the) (?:type of |kind of )?(?:request|question|prompt|content|query) (?:go(?:es)? against|violates?|breach(?:es)?|conflicts? with|is against) (?:our |openai's |the )?<rules>
        (?:my|our) <rules> (?:do(?:es)?(?:n't| not) (?:allow|permit|let)|prohibits?|prevents?|forbids?|stops?) (?:me|us)|i(?:'m| am) (?:bound|limited|restricted|constrained|prevented)
        i <so>(?:do not|don'?t|do not currently|don't currently|lack|have no|haven't|have not)(?: have| been given| got)?(?: any| direct| real-time| the| enough| sufficient| personal| specific| up-to-date| current| necessary| required| adequate| internet| that| reliable| live)* (?:access|information|info|context|details|data|knowledge|ability|capability|capabilities|opinions?|feelings|emotions|beliefs|preferences|consciousness|experiences|memory|record|thoughts|means|permission|authority|clearance)
        i(?:'m| am) (?:just|only|merely|simply) an? <ai>|i(?:'m| am) an? <ai>(?:,| and)(?: so| therefore)? (?:i )?(?:can'?t|cannot|can not|do not|don'?t|am not|am unable)
        there(?:'s| is)(?: not|n't) enough (?:information|context|details?)(?! in )|(?:the|that|this) (?:provided )?(?:context|documents?|information|text)(?: provided| given)? (?:does not|doesn't|do not|don't) (?:contain|include|provide|mention|have|give|specify)(?: \w+)? (?:information|answer|enough|details|any)
        it(?:'s| is| would be|'d be| isn't| wouldn't be| would)(?: not)?(?: be)? (?:\w+ly )?(?:inappropriate|unethical|irresponsible|improper|wrong|appropriate|ethical|right|possible|my place|illegal) (?:for me )?(?:to (?:help|assist|provide|share|speculate|discuss|give|answer|write|create|comment|generate|engage|offer|say|do))
        i (?:do not|don'?t) (?:really |actually |honestly )?know(?! (?:about you|about (?:everyone|others)|if you|how you|what you|who|whether you))|i (?:really |honestly |truly )?have no (?:idea|clue)|no idea|not sure(?:,|$| what you| how to)|i(?:'m| am) not sure(?:$| what you're asking)|no clue|i wouldn't know
        i (?:did not|didn't|could not|couldn't) find (?:an?|any|the|enough|relevant) (?:\w+ )?(?:answer|information|details)|i(?:'m| am) not (?:aware|familiar|able to|sure how to (?:help|answer))
        (?:i )?(?:can'?t|cannot|won'?t) (?:help|assist|answer|do|comply|fulfil+|provide)(?! but)
        (?:i )?(?:don't|do not) (?:feel comfortable|think (?:it's|it is|that's|i) (?:appropriate|right|should|can)|wish to|want to (?:help|write|discuss|talk|engage|answer)|engage|discuss|talk about|take part)
        (?:unable|not able) to (?:help|assist|answer|comply|provide|fulfil+|process)|(?:request|access) (?:denied|declined|refused)|(?:i )?(?:won't|will not) be (?:able to|helping|providing|writing|answering)
        answering (?:that|this) (?:would|is)|(?:providing|sharing|writing|creating|doing|discussing|generating) (?:that|this|it|such) (?:\w+ )?(?:would be|is|could|would) (?:\w+ly )?(?:harmful|unethical|inappropriate|illegal|dangerous|against my)
        <unable>(?:,? [^,;]{3,40},|<how>|(?: \w+ly){1,2}) (?:<do>)
        <unable><how> (?!<felt>)\w+ (?:(?:up|out|off|on|to|with|for|into|at|about) )?(?:your|you\b(?! how)|(?:this|that|these|those|such|any) (?:\w+ )?(?:kinds?|types?|sorts?|requests?|questions?|tasks?|content|material|information|details?|data|images?|files?|documents?|links?|code|topics?|subjects?|matters?|accounts?|orders?|advice|messages?))
        <unable><how> (?!<felt>)\w+ (?:\w+ ){0,6}(?:for you|on your behalf|other (?:customers|users|people)|real[- ]time)
        <unable><how> (?:<act>) (?:that|this|it|these|those|any|an?|the|such|other|personal|private|real|live|images|files|links|people|reservations?|payments?|refunds?|calls|e-?mails)\b(?! (?:past|weather|world|future))
        (?:it|that|this) ?(?:'s|is|would be|will be|'ll be) (?:\w+ly )?(?:not possible|impossible|not feasible) for me|(?:it|that|this) (?:isn't|wouldn't be|won't be) (?:\w+ly )?(?:possible|feasible) for me
        i <so>(?:have no|lack|do not have|don'?t have|don't currently have|do not currently have|have not been given|haven't been given|was not given|wasn't given|was not provided|wasn't provided|possess no|do not possess|don't possess|cannot claim)(?: with)?(?: [^\s,;.]+){0,4}? (?:ways?|means|tools?|visibility|insight|records?|(?:in)?formation|data|details|access|abilit(?:y|ies)|capabilit(?:y|ies)|capacity|facts|sources?|training|expertise|qualifications?|credentials|permissions?|authori[sz]ation|authority|mandate|feelings|opinions?|body|eyes|knowledge|context|answer)\b
        i(?:'m| am) <so>not (?:in (?:a|any) position|trained|equipped|designed|built|programmed|meant|set up|qualified|licensed|certified|at liberty|cleared|free|able|permitted|allowed|authori[sz]ed|empowered|entitled|comfortable|at ease|willing|prepared|going|the right)\b(?! to (?:lie|wait|complain|attend|join|come))
        i (?:do not|don'?t) (?:really |currently |actually )?feel (?:at all )?(?:comfortable|able|right|qualified|at ease)|i(?:'m| am) (?:un|not very |not entirely )comfortable
        (?:this|that|it|your|the|such)(?: [^\s,;.]+){0,4}? ?(?:is|'s|falls?|lies|goes|are|would be|would go|would fall|goes far) (?:\w+ )?(?:outside|beyond|out of|past|contrary to|against)(?: of)? (?:the (?:scope|limits|bounds|range|remit) of )?(?:my|what i)\b
        (?:i )?(?:must|have to|need to|am going to|'m going to|shall|will|should) (?:\w+ly )?(?:decline|refuse|abstain|refrain|turn (?:this|that|it|you) down|withhold)
        i(?:'d| would|'ll| will) (?:much |really |strongly )?(?:rather|prefer|choose)(?: to)? (?:not\b|avoid|refrain|steer clear)|i (?:prefer|choose|opt) not to
        (?:there (?:is|isn't)|there's)(?: \w+)? (?:no way|nothing|any way|anything)(?: \w+){0,2}? (?:for me|i can|i could|i'm able)
        (?:there (?:is|isn't|are|aren't)|there's)(?: \w+)? (?:not enough|insufficient|enough|too little|no) (?:information|context|details?|data)(?: \w+){0,4}? (?:to|for me)
        (?:helping|assisting)(?: you)? with (?:that|this|your)(?: \w+){0,3} (?:is|isn't|would)(?: not)?|(?:that|this|your request) (?:is|'s) (?:not )?(?:one |a thing |a request )(?:that )?i (?:can't|cannot|can|won't|must)
        my (?:knowledge|training|capabilities|abilities|access|role|permissions?|functions?|scope|expertise)(?: \w+){0,3} (?:do(?:es)? not|doesn't|don't|(?:is|are) limited|(?:is|are) restricted|only|cannot|can't|ends?)
        (?:i )?(?:can'?t|cannot|won'?t) (?:be of|do) (?:that|this|any|much|so|assistance|help|service)\b
        (?:this|that|it|your|the|such|what)(?: [^\s,;]+){0,6}? (?:is |are |falls? |lies |goes |go |sits )?(?:\w+ )?(?:outside|beyond|out of|past)(?: [^\s,;]+){0,5}? (?:i|i'm|my|me)\b
        (?:it|that|this)(?:'d| would|'s| is) (?:\w+ )?(?:be )?(?:irresponsible|unethical|inappropriate|wrong|unsafe|dishonest|improper|reckless|not (?:right|appropriate|ethical|safe)) (?:of|for) me
        i <so>(?:can'?t|cannot|don'?t|do not|won'?t) (?:recall|remember|retain|store|keep|see) (?:anything|our|any of our|previous|earlier|past|prior|what (?:you|we)|conversations?)\b
        i (?:couldn'?t|could not|didn'?t|did not|can'?t|cannot|was unable to|wasn't able to|am unable to|'m unable to) (?:find|locate|see) (?:this|that|it|anything|(?:any|the|an?|such an?|enough|that|this|your) (?:\w+ )?(?:information|booking|order|answer|mention|records?|account|reservation|details?|reference|results?|data|documents?|files?|entry|match|customer|ticket|invoice))\b
        (?:my|our|the) (?:\w+ )?(?:<rules>|training|design|settings|developers?|creators?)(?: \w+)? (?:prevents?|prohibits?|forbids?|stops?|bars?|keeps?|doesn't allow|do(?:es)? not (?:allow|permit)|don't (?:allow|permit)|limits?|restricts?|requires? me) (?:me|that i)
        (?:that|this|it|such (?:a )?\w+|\w+ing (?:\w+ ){1,4}?)(?:'s| is| are)? ?(?:is |are )?(?:just |simply )?(?:something|a thing|one thing|a request|an area|a line)(?: that)? i (?:won't|can't|cannot|will not|don't|do not|am not|'m not|must|have to|refuse|may not)
        i(?:'m| am) (?:not an?|neither an?|no) \w+(?: \w+)?(?:,| and| so|, so|;)+ (?:i )?(?:therefore )?(?:can'?t|cannot|am not able|am unable|'m not able|'m unable|don't|do not|should not|shouldn't)
        i(?:'m| am) not an? (?:lawyer|doctor|physician|attorney|financial advis[eo]r|therapist|professional|human|person|licensed|qualified|medical|real)\b
        (?:this|that|it) ?(?:'s|is|isn't|wouldn't be)(?: \w+ly)? (?:not )?(?:something|a thing|anything|a task|part of what)(?: that)? (?:i'm|i am|i was) (?:\w+ )?(?:trained|designed|built|meant|programmed|able|allowed|equipped|here)
        i <so>(?:don'?t|do not) have (?:the|any|an?|your|its|their) ?(?:most )?(?:current|latest|exact|specific|up-to-date|precise|live|full|recent|real-time|today's|necessary|right) \w+
    """,
    weak=r"""
        <unable>(?! (?:wait|attend|come|make it|join|accept|go|see (?:any|an|a)|find|think|reproduce|be there|stay))
        i <so>(?:don'?t|do not|won'?t|will not|don't ever|never) (?!<felt>|think|see why|mean|care|mind|need|doubt|know (?:you|who)|want you|be\b|have (?:any )?(?:doubt|objection|problem|a problem|issue|time))\w+
        [^,;]{1,60}? (?:is|are) (?:just |simply )?(?:something|a thing|one thing|a request|nothing)(?: that)? i (?:won't|can't|cannot|will not|don't|do not|am not|'m not|must|may not)
        [^,;]{1,60}? (?:is|are|falls?|goes?|lies) (?:\w+ )?(?:outside|beyond|out of|against)(?: [^\s,;]+){0,5}? (?:i|i'm|my|me)\b
        (?:no|nothing|not)(?: [^\s,;]+){1,5}? (?:i can|i could|i'm able|i am able|i have access|on my end)\b
        [^,;]{1,60}? (?:isn't|aren't|is not|are not|'s not|is no|isn't really) (?:just |simply )?(?:something|a thing|one thing|a request|anything|part of what|among the things)(?: that)? (?:i|we) (?:can|could|am|'m|are|do|will|may|would)\b
        we <so>(?:can'?t|cannot|are (?:unable|not able) to|won'?t(?: be able to)?|will not|don't|do not) (?:discuss|disclose|share|help|assist|provide|answer|comment|talk about|process|comply|offer (?:advice|opinions)|give (?:advice|out))\b
    """,
    not_after=r"""
        enough (?:how|that)|(?:recommend|stress|praise|thank|overstate|emphasi[sz]e|express|say) (?:\w+ ){0,6}enough|(?:can'?t|cannot) (?:wait|imagine|help but|complain|argue with that|go wrong)
        (?<!not )yet\b|into (?:the |any |much )?details?|until (?:you|we|the|monday|tuesday|wednesday|thursday|friday)|can'?t tell you how (?:happy|much|glad|excited|sorry|grateful)
        (?:can'?t|cannot|unable to) (?:\w+ ){0,3}(?:wait|thank you|imagine|believe|help but|overstate|resist|decide)
    """,
    contrasts="but|however|though|although|nevertheless|nonetheless|still",
    offers=r"""
        (?:i|we)(?:'d| would| can| could|'m| am|'ll| will| might|'ve| have)(?: certainly| definitely| always| still| gladly| also| try| try to| happily| be| more| very| than)* (?:love|like|happy|glad|here|help|helping|assist|offer|provide|suggest|discuss|willing|open|direct|point|try|recommend you|give you (?:some )?general|share general|talk|explain|answer|do my best|encourage|strongly|able to|to)
        (?:please|feel|let me|if|perhaps|maybe|what|would you|do you|is there|don't hesitate|thank|i (?:hope|encourage|suggest|recommend|don't|do not|can't|cannot|must|have to|appreciate|understand|want|think|strongly)|that's|that is|this is|it(?:'s| is) (?:important|not|against|best)|i'm (?:sorry|not|unable|just|only))
        (?:you|it)(?: \w+)? (?:should|could|may|might|can)(?: want to| wish to| always| also| try| be)* (?:consult|contact|seek|ask|speak|talk|reach|rephrase|try asking|try to ask|hire|best)
        (?:a|your|an?) (?:doctor|lawyer|professional|licensed|qualified)
        (?:not|never|only|for|as|because|since|even|rather|unfortunately|sorry)\b
        (?:please|kindly|sadly|anything)\b
    """,
    helps="here(?:'s| is| are)(?! (?:why|something else|what i can))|instead you",
)
