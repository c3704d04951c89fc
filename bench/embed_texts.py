"""A thousand texts of every kind that people send, the same on every machine."""
import random

WORDS = (
    "forklift operator needed on the night shift who can drive a reach truck and load pallets safely in our warehouse near the river "
    "registered nurse with two years of experience caring for older people at home weekends only certified welder stainless steel "
    "accountant month end closing payroll taxes for small firms cook who knows italian kitchen prep and keeps calm under pressure "
    "electrician commercial wiring blueprints ladder work driver class A license long haul clean record customer service bilingual "
    "front desk scheduling phones carpenter framing finish cabinets machine operator quality control measures micrometer reads drawings"
).split()
SENTENCES = [
    "Wir suchen eine Lagerkraft mit Staplerschein für die Nachtschicht.", "Zoekt u een vrachtwagenchauffeur met ervaring?",
    "Nous cherchons une infirmière diplômée pour l'hôpital de la ville.", "Se busca soldador con experiencia en acero inoxidable.",
    "Procura-se cozinheiro para restaurante italiano, turno da noite.", "Cercasi elettricista per impianti industriali a Torino.",
    "Søger erfaren tømrer til byggeplads i Århus.", "Etsimme kokenutta kirjanpitäjää Tampereelta.", "Letar efter svetsare i Göteborg.",
    "Szukamy kierowcy ciężarówki z prawem jazdy kategorii C.", "Hledáme zdravotní sestru na noční směny.", "Keresünk villanyszerelőt Győrbe.",
    "Căutăm un bucătar cu experiență în București.", "Търсим шофьор на камион във Варна.", "Шукаємо зварювальника у Львові.",
    "Требуется медсестра в городскую больницу, график посменный.", "Ζητείται ηλεκτρολόγος για εργοστάσιο στη Θεσσαλονίκη.",
    "Deneyimli forklift operatörü aranıyor, İstanbul.", "מחפשים נהג משאית עם ניסיון.", "مطلوب ممرضة ذات خبرة للعمل في الرياض.",
    "به یک راننده کامیون نیاز داریم.", "हमें अनुभवी इलेक्ट्रीशियन की आवश्यकता है।", "রাতের শিফটের জন্য একজন নার্স প্রয়োজন।",
    "இரவு நேர பணிக்கு சமையல்காரர் தேவை.", "ต้องการพนักงานขับรถยกสำหรับกะกลางคืน", "Cần tuyển thợ hàn có kinh nghiệm tại Đà Nẵng.",
    "Dicari perawat berpengalaman untuk shift malam.", "夜勤のフォークリフト運転手を募集しています。", "電気工事士、経験者優遇、東京都内。",
    "야간 근무 지게차 운전기사를 모집합니다.", "招聘夜班叉车司机，要求有三年工作经验。", "誠聘護士，需輪班工作。", "Je! Unatafuta kazi ya udereva?",
]
EMOJI = ["👷", "🏗️", "🚚", "👩🏽‍⚕️", "👨‍🍳", "🔧", "📦", "😀", "🇺🇸", "❤️‍🔥", "1️⃣", "🧑‍🏭"]
ODD = [
    " ", "\n", "\t", "  \r\n ", "\u00a0", "\u3000", "\u200b", "\ufeff", "\u0000", "\u0007", "\u00ad", "\u0301", ".", "-", "?!", "…", "''", "\"", "\\",
    "[SEP]", "[CLS] [MASK] [PAD]", "a[SEP]b", "[UNK]", "##ing", "a", "A", "é", "e\u0301", "ß", "İ", "ı", "ﬁ", "Ⅷ", "½", "²", "™", "①", "Ａ", "ǅ", "ﷺ", "0", "-0", "1e9",
    "3.14159", "1,000,000", "$21.50/hr", "50%", "C++ / C# / .NET", "a_b-c.d,e", "https://example.com/jobs?id=1&x=%20", "ops@example.com", "<b>bold</b>",
    "{\"a\": [1, 2]}", "SELECT * FROM workers WHERE city = 'Toledo';", "x" * 99, "x" * 100, "x" * 101, "x" * 5000, "漢" * 300, "😀" * 300, "ab " * 126 + "ab",
    "ab " * 253 + "ab", "ab " * 254 + "ab", "ab " * 255 + "ab", "\ud7ff", "\ue000", "\ufffd", "\U0010ffff", "𝓯𝓸𝓻𝓴", "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤a̠l̶g͖o", "ｶﾀｶﾅ", "한", "한",
]


def short(dice):
    return " ".join(dice.choices(WORDS, k=dice.randint(1, 12)))


def medium(dice):
    text = ". ".join(short(dice).capitalize() for _ in range(dice.randint(2, 6)))
    return text + dice.choice([".", "!", "?", ""])


def mixed(dice):
    return dice.choice([" ", ", ", "\n"]).join([dice.choice(SENTENCES), short(dice), dice.choice(EMOJI), *dice.sample(SENTENCES, 1)])


def emoji(dice):
    return " ".join([short(dice), *dice.choices(EMOJI, k=dice.randint(1, 5))])


def shouting(dice):
    return dice.choice([short(dice).upper(), short(dice).title(), "  " + short(dice).replace(" ", "   ") + "\n\n"])


def long(dice):
    return " ".join(dice.choices(WORDS + SENTENCES, k=dice.randint(150, 400)))


def texts():
    """The odd ones, a sentence of each language, then the kinds in turn with every 50th very long."""
    dice = random.Random(20261123)
    made = ODD + SENTENCES
    kinds = [short, medium, mixed, emoji, shouting]
    while len(made) < 1000:
        made.append(long(dice) if len(made) % 50 == 0 else kinds[len(made) % len(kinds)](dice))
    return made
