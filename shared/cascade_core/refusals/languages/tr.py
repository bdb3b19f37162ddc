"""How Turkish refuses."""

from cascade_core.refusals.language import Language

_CANNOT = (
    r"[ae]m(?:am|em|ıyorum|iyorum|uyorum|üyorum|ayacağım|eyeceğim|am ki)"  # olamam, veremiyorum
)

LANGUAGE = Language(
    script="latin",
    hints="""izin vermiyor engelliyor üzgünüm maalesef dilerim bilmiyorum yok yoktur değilim değil reddediyorum reddetmek
        aykırı ihlal mümkün imkansız imkansızdır imkânsız kusura yasaklıyor yasaklar girmiyor girmez gelmiyor gelmez ötesinde ötesindedir yasak hissetmem olmaz olamaz dışında dışındadır bulunmuyor bilgim erişimim fikrim ederim yalnızca sadece sahip istemiyorum
        korkarım yapamam bilemiyorum modeliyim yoksunum uygun""",
    stems="amam emem amıyor emiyor mayacağ meyeceğ madığım mediğim aşıyor",
    parts={
        "ai": r"(?:bir )?(?:büyük )?(?:yapay zek[aâ](?: (?:dil )?modeli| asistanı)?|dil modeli|sohbet (?:botu|robotu)|sanal asistan|dijital asistan|bot|asistan|model|makine)",
        "before": r"(?:[^\s.;:]+ ){0,12}?",
        "do": r"(?:yardım(?:cı)?(?: \w+)? (?:ol|ed)|destek (?:ol|ver|sağl)|(?:yanıt|cevap|bilgi|tavsiye|öneri|görüş|karşılık|onay|izin|teşhis|detay|adres\w*|yorum|danışmanlık|hizmet|tanı)\w*(?: \w+)? (?:ver|sun|sağla|yap|paylaş|koy)|yanıtla|cevapla|yerine getir|gerçekleştir|karşıla|devam ed|paylaş|yaz|oluştur|üret|konuş|tartış|söyle|aç|işle|yap|hissed|hisset|erişe?|eriş|sun|sağla|ver|açıkla|doğrula|kontrol ed|görüntüle|göz at|tamamla|hazırla|tahmin ed|kabul ed|katıl|bul|deneyimle|sahip ol|uygula|öner|belirt|bildir|ifade ed|bahsed|değerlendir|üstlen|ol|göster|anlat|çevir|dile getir|bulun|destekle|teşvik ed|yürüt)",
        "rules": r"(?:yönerge\w*|politika\w*|kural\w*|ilke\w*|prensip\w*|programlama\w*|değerler\w*|standart\w*|talimat\w*|kılavuz\w*|yönetmeli\w+|esas\w*)",
    },
    apologies=r"""
        (?:çok |gerçekten |cidden )?(?:üzgünüm|özür dilerim|afedersin\w*|affedersin\w*|pardon|kusura bakma(?:yın|yınız)?|bağışla(?:yın|yınız)?|mazur gör(?:ün|ünüz)?)|korkarım(?: ki)?(?! (?:öyle|evet))|üzülerek(?: \w+)*(?: ki)?
        üzgünüz|özür dileriz(?! \w)|maalesef|ne yazık ki|malesef|şu anda|şu an|üzgünüm ki|dürüst olmak gerekirse|açıkçası
        (?:sadece |yalnızca )?<ai> olarak|<ai> olduğum için
    """,
    leads=r"""
        ama|ancak|fakat|lakin|bu nedenle|bu yüzden|bu sebeple|dolayısıyla|çünkü|ve|yine de
        merhaba|selam|hayır|hmm+|şey|eh|ah
        (?:güvenlik|yasal|etik|gizlilik) nedenleriyle
    """,
    prefaces=r"""
        (?:\S+ ){0,4}?teşekkür\w*|(?:\S+ ){0,6}?(?:anlıyorum|anlayışla|farkındayım|takdir ediyorum|isterdim|isterim|biliyorum|görüyorum|rağmen|olsa da)|bu (?:çok )?(?:güzel|iyi|ilginç|önemli) bir|sorunuz|(?:\S+ ){1,4}(?:gelince|konusunda|hakkında|ilgili)
    """,
    refusals=rf"""
        <before><do>{_CANNOT}(?=$|,| çünkü| ama| ancak| fakat| ve| -)
        <before>(?:yanıtla|cevapla|karşıla|sağla|paylaş|hazırla|tamamla|doğrula|uygula|açıkla|destekle|işle|değerlendir|görüntüle){_CANNOT}(?:$|,)|<before>(?:yanıtla|cevapla|karşıla|sağla|hazırla|tamamla|doğrula|uygula|açıkla|destekle|işle|tara|anla|sun|oku|hesapla|tekrarla|kullan)y(?:am|em)(?:am|em|ıyorum|iyorum|ayacağım|eyeceğim)(?:$|,)
        <before>\w+(?:mam|mem|mamız|memiz) (?:maalesef |ne yazık ki )?(?:mümkün|olası|imkan dahilinde|söz konusu|uygun|doğru|etik) (?:değil|olamaz|olmaz|olmayacak)\w*|<before>(?:imkansız|imkanım yok|yetkim yok|iznim yok|yetkili değilim|yetkin değilim|muktedir değilim|durumda değilim|programlanmadım|tasarlanmadım|eğitilmedim|izin verilmiyor|iznim bulunmuyor|yetkim bulunmuyor)
        <before>(?:reddetmek|geri çevirmek|reddetmem|hayır demek) (?:zorundayım|durumundayım|gerekiyor|gerek|istiyorum|mecburiyetindeyim|zorunda kalıyorum)|<before>(?:reddediyorum|reddederim|geri çeviriyorum|kabul edemem)
        <before>\w+(?:mamayı|memeyi) (?:tercih ederim|tercih ediyorum|yeğlerim|seçiyorum)|<before>(?:konuşmak|yazmak|yanıtlamak|tartışmak|yardım etmek|cevaplamak|yorum yapmak|girmek|bahsetmek|katılmak|üretmek|oluşturmak) istemiyorum|<before>(?:yazmayacağım|vermeyeceğim|yanıtlamayacağım|paylaşmayacağım|yapmayacağım|etmeyeceğim|oluşturmayacağım)
        (?:bu|o),? (?:maalesef |ne yazık ki )?(?:benim )?(?:size |sana )?(?:yardımcı olabileceğim|yardım edebileceğim|yapabileceğim|destek verebileceğim|cevaplayabileceğim|yanıtlayabileceğim) (?:bir )?(?:konu|şey|iş|talep|soru) değil\w*
        <before>(?:\w+im|\w+ım|\w+larım\w*|\w+lerim\w*|\w+larımıza|\w+lerimize|\w+mıza|\w+mize|<rules>)(?: \w+){{0,4}}? (?:aykırı\w*|ters düş\w*|ihlal ed\w*|uygun değil\w*|uymuyor|dışında\w*|dışındadır|çeliş\w*|dışına \w+|izin vermiyor|engelliyor|yasaklıyor)|<before>(?:kapsamım|yeteneklerim|bilgim|uzmanlığım|yetkim|görev alanım|uzmanlık alanım)\w* (?:dışında|aşıyor|dahilinde değil)\w*
        <before>(?:erişimim|bilgim|verim|fikrim|görüşüm|görüşlerim|fikirlerim|duygum|duygularım|hislerim|bilincim|tercihlerim|deneyimim|deneyimlerim|yeteneğim|hafızam|yetkim|inançlarım|düşüncem|düşüncelerim)(?: \w+)? (?:yok\w*|bulunmuyor|bulunmamaktadır|mevcut değil|olamaz)|<before>(?:bilgiye|bilgilere|erişime|veriye|verilere|yeteneğe|yetkiye|görüşlere|duygulara|görüşe|bilince|deneyime|hafızaya|bağlama|fikirlere) sahip (?:değilim|olamam|olmadığım\w*)|<before>yeterli (?:bilgi|veri|bağlam)\w* (?:yok|bulunmuyor|mevcut değil|verilmedi|içermiyor)
        (?:ben )?(?:yalnızca|sadece|sade) <ai>y?(?:im|ım|um|üm)|ben <ai>y?(?:im|ım|um|üm)
        (?:bunu |cevabını |bu konuda |ben |ne yazık ki )*(?:bilmiyorum|bilemiyorum|emin değilim|bilgim yok|bir fikrim yok|hiçbir fikrim yok|fikrim yok)(?!,? ne düşün)
        <before>(?:uygunsuz|etik|doğru|uygun|sorumsuzca) (?:olur|olmaz|değil\w*|olacaktır)$|(?:talep|istek|erişim) reddedildi|(?:sağlanan|verilen) bilgi\w* (?:\w+ ){{1,4}}(?:içermiyor|yeterli değil)
        <before>(?!(?:gel|gid|git|bekle|inan|dayan|dur|uyu|katıl|gör|bul|sabred|anlat|kal|yetiş|unut|hayal))\w{{1,12}}{_CANNOT}(?=$|,| çünkü| ama| ancak| fakat| -)
        <before>(?:ulaş|eriş|açıkla|incele|öğren|yönlendir|düzenle|değiştir|iptal ed|çözümle|hesapla|oku|gönder|ara)y?{_CANNOT}(?=$|,)
        <before>(?:yardımcı ol|yardım ed|yanıt ver|cevap ver|yerine getir|yanıtlay|bilgi ver|destek ol)[ae]m(?:ıyoruz|iyoruz|ayız|eyiz|ayacağız|eyeceğiz)(?=$|,)
        <before>(?:yardım\w* |yanıt |cevap |bilgi |destek )?\w*(?:ol|ed|ver|yanıtlay|cevaplay|sun|sağlay|getir)[ae]m(?:adığım|ediğim)\w*(?: için| dolayı)? (?:çok |gerçekten )?(?:üzgünüm|özür dilerim|kusura \w+)
        <before>(?:bilmiyorum|bilemiyorum|emin değilim)$
        <before>\w+(?:[ıiuü]m|[ıiuü]m[ıiuü]n|[ıiuü]mızın|[ıiuü]mizin)(?: (?:kapsam|sınır|alan)\w+)? (?:dışında\w*|ötesinde\w*|kapsamında değil\w*|aşıyor|üzerinde)
        <before>(?:yetenek|uzmanlık|bilgi|görev|yetki|hizmet)\w*(?: alan\w*| kapsam\w*| sınır\w*)? (?:dışında\w*|aşıyor|dışına çıkıyor)$
        <before>(?:elimde|bende|tarafımda)(?: \S+){{0,5}}? (?:veri|bilgi|kayıt|yetki|imk[aâ]n|araç|cevap)\w* (?:yok\w*|bulunmuyor|mevcut değil\w*)
        <before>(?:imk[aâ]nım|olanağım|yetkim|iznim|erişimim|bilgim|verim|becerim|yeteneğim|özelliğim|aracım|haberim|kabiliyetim)(?: \w+)? (?:yok\w*|bulunmuyor|bulunmamakta\w*|değil\w*)
        <before>benim için (?:\w+ )?(?:mümkün değil\w*|imk[aâ]nsız\w*|olanaksız\w*)
        <before>(?!bil|anla|gel|git|gid|unut|üz)\w+m(?:ayacağım|eyeceğim)$
        <before>\w+(?:[ıiuü]m|m[ıiuü]z)(?: \S+){{0,6}} izin (?:vermiyor|vermez|vermemekte)\w*
        <before>\w+(?:[ıiuü]mi|[ıiuü]mı|[ıiuü]mu|[ıiuü]mü) (?:aşıyor|aşmakta|aşar)\w*
        <before>(?:bilgim|yetkim|yeteneklerim|verilerim)(?: \S+){{0,4}} (?:yeterli değil\w*|yetmiyor|yetersiz\w*|el vermiyor|yetmez)
        <before>\w+m(?:amam|emem) (?:gerekiyor|gerekir|lazım|gerek)
        <before>(?:duygu|his|bilinç|acı|sevgi)\w* (?:hissetmem|hissetmiyorum|taşımam|taşımıyorum|yaşamam|duymam)
        <before>\w+m[ae]m[ae] izin (?:yok\w*|verilm\w+|vermi\w+|bulunmuyor)|<before>\w+m[ae]m (?:yasak\w*|yasaklan\w+|engellen\w+)
        <before>\w*abilecek\w*(?:imin|im) (?:ötesinde\w*|dışında\w*)
        <before>\w*(?:[ıiuü]ma|[ıiuü]me|m[ıiuü]za|m[ıiuü]ze) (?:girmiyor|girmez|dahil değil\w*)
        elimden (?:\w+ )?(?:bir şey|hiçbir şey) (?:gelmiyor|gelmez)
        <before>(?:\w+(?:ine|ına|una|üne|lere|lara)|bun[al]\w*) sahip değilim
        <before>\w+m[ae]m[ıi] (?:yasaklıyor|engelliyor|yasaklar|engeller|yasaklamakta\w*)
    """,
    weak=rf"""
        <before>\w+{_CANNOT}$
    """,
    not_after=r"abartmak|iade edem\w+ (?:ama|ancak|fakat)|\w+(?:dığımı|diğimi|duğumu|düğümü|tığımı|tiğimi|tuğumu|tüğümü|acağını|eceğini) söyleyem\w+|nasıl (?:teşekkür|anlat|ifade)\w*|şik[aâ]yet edem\w+|söz bulamıyorum|kelime bulamıyorum|henüz|daha söyle|katıl(?:amıyorum|amam|amayacağım)|gel(?:emem|emiyorum|emeyeceğim)|ne kadar|sabırsız|göremiyorum|bulamadım",
    contrasts="ama|ancak|fakat|lakin|bununla birlikte|yine de",
    offers=r"""
        (?:\S+ ){0,12}?(?:yardımcı olabilirim|yardım edebilirim|yardımcı olmaktan|memnuniyetle|sunabilirim|önerebilirim|öneririm|verebilirim|isterseniz|istersen|sorabilirsin\w*|çekinmeyin|lütfen|memnun olurum|mutluluk duyarım|başvurmanız\w*|danışmanız\w*|danışabilirsiniz|deneyebilirim|buradayım|tavsiye ederim|edebilirim|olabilirim|yapabilirim|açıklayabilirim)
        (?:bu|üzgünüm|yardımcı olamam|yanıt|maalesef)(?: \S+){0,10}$
    """,
    helps=r"işte",
)
