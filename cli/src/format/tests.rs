//! What the canonical form promises.

use proptest::prelude::*;

use super::formatted;

fn canonical(text: &str) -> String {
    formatted(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn spaces_and_blank_lines_are_put_right() {
    let text = "\n\n#:schema ./schema.json\n[ tree ]\n\n\nname='shop'  # the shop\n\n\n\
                  shutdown =   \"45s\"\n[process . db]   # storage\n  # how\n  run=[ \"postgres\",\"-D\" ,'data',]\n\
                  ready={tcp='127.0.0.1:5432',timeout = \"30s\"}\n\n\n# the end\n\n";
    assert_eq!(
        canonical(text),
        "#:schema ./schema.json\n[tree]\nname = 'shop' # the shop\n\nshutdown = \"45s\"\n\n\
         [process.db] # storage\n# how\nrun = [\"postgres\", \"-D\", 'data']\n\
         ready = { tcp = '127.0.0.1:5432', timeout = \"30s\" }\n\n# the end\n",
    );
}

#[test]
fn array_with_line_ends_keeps_a_line_for_each() {
    let text =
        "children=[ # in order\n'a' # first\n  ,'b', # second\n\n# and then\n ['c',\n 'd']]\n";
    assert_eq!(
        canonical(text),
        "children = [ # in order\n    'a', # first\n    'b', # second\n    # and then\n    [\n        'c',\n        'd',\n    ],\n]\n",
    );
}

#[test]
fn dotted_keys_and_quoted_keys_stay() {
    let text = "a . b=1\na.c = 2\n\"x y\"= {d . e=1,f={}}\n[[t]]\n[[t]]\nz=[]\n";
    assert_eq!(
        canonical(text),
        "a.b = 1\na.c = 2\n\"x y\" = { d.e = 1, f = {} }\n\n[[t]]\n\n[[t]]\nz = []\n",
    );
}

#[test]
fn windows_line_ends_and_byte_order_mark_go() {
    assert_eq!(
        canonical("\u{feff}a = 1\r\n# c\r\nb = [\r\n1\r\n]\r\n"),
        "a = 1\n# c\nb = [\n    1,\n]\n"
    );
}

#[test]
fn empty_file_stays_empty() {
    assert_eq!(canonical(""), "");
    assert_eq!(canonical("\n\n"), "");
    assert_eq!(canonical("\n# only this"), "# only this\n");
}

#[test]
fn syntax_error_is_refused_with_its_place() {
    let error = formatted("[process.web]\nrun = \n").unwrap_err();
    assert!(error.to_string().contains("line 2"), "{error}");
}

/// A blank of some sort, line ends and numbered comments where they may be.
fn gap(may_break: bool) -> BoxedStrategy<String> {
    let blank = "[ \t]{0,3}";
    if may_break {
        prop_oneof![
            4 => blank.prop_map(String::from),
            1 => "[ \t]{0,2}(\n[ \t]{0,2}){1,3}".prop_map(String::from),
            1 => "[ \t]{0,2}#@\n[ \t]{0,2}(\n#@\n)?".prop_map(String::from),
        ]
        .boxed()
    } else {
        blank.prop_map(String::from).boxed()
    }
}

fn scalar() -> BoxedStrategy<String> {
    prop_oneof![
        "[a-z# =]{0,8}".prop_map(|text| format!("\"{text}\"")),
        "[a-z#\\\\]{0,8}".prop_map(|text| format!("'{text}'")),
        Just("'''\none # two\n'''".to_owned()),
        any::<i32>().prop_map(|number| number.to_string()),
        Just("true".to_owned()),
        Just("nan".to_owned()),
        Just("1.50".to_owned()),
    ]
    .boxed()
}

fn value() -> impl Strategy<Value = String> {
    scalar().prop_recursive(3, 12, 4, |inner| {
        let item = (gap(true), inner.clone(), gap(true)).prop_map(|(a, b, c)| format!("{a}{b}{c}"));
        let array = (prop::collection::vec(item, 0..4), any::<bool>(), gap(true));
        let array = array.prop_map(|(items, has_comma, end)| {
            let comma = if has_comma && !items.is_empty() {
                ","
            } else {
                ""
            };
            format!("[{}{comma}{end}]", items.join(","))
        });
        let setting = (gap(false), gap(false), inner, gap(false));
        let table = prop::collection::vec(setting, 0..3).prop_map(|settings| {
            let settings: Vec<String> = settings
                .into_iter()
                .enumerate()
                .map(|(index, (a, b, c, d))| format!("{a}k{index}.d{b}={c}{d}"))
                .collect();
            format!("{{{}}}", settings.join(","))
        });
        prop_oneof![array, table]
    })
}

fn comment() -> impl Strategy<Value = String> {
    prop_oneof![2 => Just(String::new()), 1 => Just(" #@".to_owned())]
}

/// Lines of a file: settings and headers with numbers for names, so that none is there twice.
fn file() -> impl Strategy<Value = String> {
    let setting = (gap(false), gap(false), value(), gap(false), comment())
        .prop_map(|(a, b, value, c, comment)| format!("{a}k%{b}={value}{c}{comment}"));
    let header = (gap(false), gap(false), comment())
        .prop_map(|(a, b, comment)| format!("{a}[ t%{b}. u ]{comment}"));
    let array = comment().prop_map(|comment| format!("[[list]]{comment}"));
    let line = prop_oneof![
        4 => setting,
        2 => header,
        1 => array,
        1 => Just(String::new()),
        1 => Just("  #@".to_owned()),
    ];
    prop::collection::vec(line, 0..12).prop_map(|lines| {
        let numbered = lines.iter().enumerate();
        let text: String = numbered
            .map(|(number, line)| format!("{}\n", line.replace('%', &number.to_string())))
            .collect();
        number_comments(&text)
    })
}

/// Each `#@` becomes a comment with a number of its own.
fn number_comments(text: &str) -> String {
    let parts: Vec<&str> = text.split("#@").collect();
    let mut numbered = parts[0].to_owned();
    for (number, part) in parts.iter().enumerate().skip(1) {
        numbered.push_str(&format!("#  comment <{number}>{part}"));
    }
    numbered
}

proptest! {
    #[test]
    fn formatting_is_idempotent_and_loses_nothing(text in file()) {
        let once = canonical(&text);
        prop_assert_eq!(canonical(&once), once.clone());
        for number in 1..=text.matches("comment <").count() {
            let comment = format!("#  comment <{number}>");
            prop_assert_eq!(once.matches(&comment).count(), 1, "{} in\n{}\nfrom\n{}", comment, once, text);
        }
    }
}
