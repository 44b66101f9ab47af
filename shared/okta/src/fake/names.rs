//! Names as people write them, and in ASCII as their addresses have them.

/// Names that go together.
pub(super) struct Culture {
    pub(super) given: &'static [(&'static str, &'static str)],
    pub(super) family: &'static [(&'static str, &'static str)],
}

#[rustfmt::skip] // One name a line would be two hundred lines.
pub(super) const CULTURES: &[Culture] = &[
    Culture {
        given: &[
            ("Olivia", "olivia"), ("James", "james"), ("Grace", "grace"), ("Daniel", "daniel"), ("Ruth", "ruth"),
            ("Siobhán", "siobhan"), ("Owen", "owen"), ("Zoë", "zoe"), ("Marcus", "marcus"), ("Hannah", "hannah"),
        ],
        family: &[
            ("Bennett", "bennett"), ("O'Sullivan", "osullivan"), ("Carter", "carter"), ("Whitfield", "whitfield"),
            ("Brontë", "bronte"), ("Hughes", "hughes"), ("Okafor", "okafor"), ("Smith-Jones", "smith-jones"),
        ],
    },
    Culture {
        given: &[
            ("Jürgen", "juergen"), ("Anke", "anke"), ("Björn", "bjoern"), ("Katharina", "katharina"),
            ("Lukas", "lukas"), ("Maren", "maren"), ("Søren", "soren"), ("Åsa", "asa"), ("Ingrid", "ingrid"),
        ],
        family: &[
            ("Müller", "mueller"), ("Weiß", "weiss"), ("Schröder", "schroeder"), ("Lindqvist", "lindqvist"),
            ("von Arnim", "vonarnim"), ("Krüger", "krueger"), ("Ødegaard", "odegaard"), ("Vogel", "vogel"),
        ],
    },
    Culture {
        given: &[
            ("José", "jose"), ("Inês", "ines"), ("Álvaro", "alvaro"), ("Lucía", "lucia"), ("João", "joao"),
            ("Begoña", "begona"), ("Thiago", "thiago"), ("Núria", "nuria"), ("Mateo", "mateo"),
        ],
        family: &[
            ("García", "garcia"), ("Muñoz", "munoz"), ("Gonçalves", "goncalves"), ("Ibáñez", "ibanez"),
            ("Conceição", "conceicao"), ("de la Cruz", "delacruz"), ("Peña", "pena"), ("Ferreira", "ferreira"),
        ],
    },
    Culture {
        given: &[
            ("Łukasz", "lukasz"), ("Agnieszka", "agnieszka"), ("Zdeněk", "zdenek"), ("Żaneta", "zaneta"),
            ("Ondřej", "ondrej"), ("Małgorzata", "malgorzata"), ("László", "laszlo"), ("Ştefan", "stefan"),
        ],
        family: &[
            ("Wójcik", "wojcik"), ("Dvořák", "dvorak"), ("Kowalczyk", "kowalczyk"), ("Szabó", "szabo"),
            ("Jabłoński", "jablonski"), ("Novák", "novak"), ("Nagy", "nagy"), ("Ionescu", "ionescu"),
        ],
    },
    Culture {
        given: &[
            ("Олена", "olena"), ("Дмитро", "dmytro"), ("Ірина", "iryna"), ("Тарас", "taras"),
            ("Софія", "sofiia"), ("Богдан", "bohdan"), ("Наталія", "nataliia"),
        ],
        family: &[
            ("Шевченко", "shevchenko"), ("Коваль", "koval"), ("Бондаренко", "bondarenko"),
            ("Мельник", "melnyk"), ("Ткаченко", "tkachenko"), ("Гончар", "honchar"),
        ],
    },
    Culture {
        given: &[
            ("Priya", "priya"), ("Arjun", "arjun"), ("Lakshmi", "lakshmi"), ("Rohan", "rohan"),
            ("Ananya", "ananya"), ("Vikram", "vikram"), ("Meera", "meera"), ("Farhan", "farhan"),
        ],
        family: &[
            ("Sharma", "sharma"), ("Iyer", "iyer"), ("Chatterjee", "chatterjee"), ("Reddy", "reddy"),
            ("Kaur", "kaur"), ("Nair", "nair"), ("Deshpande", "deshpande"), ("Khan", "khan"),
        ],
    },
    Culture {
        given: &[
            ("美咲", "misaki"), ("健太", "kenta"), ("陽菜", "hina"), ("大輔", "daisuke"), ("さくら", "sakura"),
            ("直樹", "naoki"), ("由美子", "yumiko"),
        ],
        family: &[
            ("佐藤", "sato"), ("鈴木", "suzuki"), ("高橋", "takahashi"), ("渡辺", "watanabe"), ("小林", "kobayashi"),
            ("山本", "yamamoto"), ("中村", "nakamura"),
        ],
    },
    Culture {
        given: &[
            ("ليلى", "layla"), ("يوسف", "yousef"), ("مريم", "maryam"), ("Khalid", "khalid"), ("نور", "nour"),
            ("Yasmin", "yasmin"), ("طارق", "tariq"),
        ],
        family: &[
            ("حداد", "haddad"), ("الخطيب", "alkhatib"), ("Mansour", "mansour"), ("نصار", "nassar"),
            ("Aziz", "aziz"), ("درويش", "darwish"),
        ],
    },
];
