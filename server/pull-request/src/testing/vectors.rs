//! Hostile texts: addresses in disguise, marks out of place, characters that are not seen, tags, escapes, depth.
//!
//! Most are put together by rule, so that every disguise meets every way of writing it; what no rule makes is
//! `handwritten`.

mod handwritten;

use handwritten::{ADDRESSES, SHAPES, TEXTS};

/// All of them, each once, always in the same order.
pub fn vectors() -> Vec<String> {
    let mut all = Vec::new();
    all.extend(TEXTS.iter().map(|text| (*text).to_owned()));
    all.extend(addresses_in_shapes());
    all.extend(characters());
    all.extend(tags());
    all.extend(escapes());
    all.extend(entities());
    all.extend(fences());
    all.extend(depths());
    all.extend(lines());
    all.extend(heaps());
    let mut known = std::collections::HashSet::new();
    all.retain(|text| known.insert(text.clone()));
    all
}

/// Addresses that must not become links: those written by hand, and all disguises of the worst schemes.
pub fn addresses() -> Vec<String> {
    let schemes = ["command", "javascript", "vscode", "file", "data", "vbscript"];
    let disguised = schemes.iter().flat_map(|scheme| disguises(scheme));
    ADDRESSES.iter().map(|address| (*address).to_owned()).chain(disguised).collect()
}

/// The characters that security tests put into every field: C0, DEL, C1, the bidi controls, and zero width.
pub fn hostile_characters() -> Vec<char> {
    let controls = ('\0'..='\u{1F}').chain('\u{7F}'..='\u{9F}');
    let bidi = ['\u{61C}', '\u{200E}', '\u{200F}'].into_iter();
    let bidi = bidi.chain('\u{202A}'..='\u{202E}').chain('\u{2066}'..='\u{2069}');
    let unseen = [
        '\u{AD}',
        '\u{34F}',
        '\u{180E}',
        '\u{200B}',
        '\u{200C}',
        '\u{200D}',
        '\u{2028}',
        '\u{2029}',
        '\u{2060}',
        '\u{2063}',
        '\u{FE00}',
        '\u{FE0F}',
        '\u{FEFF}',
        '\u{FFF9}',
        '\u{E0041}',
        '\u{E0100}',
    ];
    controls.chain(bidi).chain(unseen).collect()
}

/// An address of a scheme, in ways that some reader takes for it.
fn disguises(scheme: &str) -> Vec<String> {
    let (first, rest) = scheme.split_at(1);
    let (start, end) = scheme.split_at(scheme.len() / 2);
    let number = u32::from(first.chars().next().unwrap_or_default());
    let mixed = scheme.char_indices().map(|(at, it)| if at % 2 == 0 { it.to_ascii_uppercase() } else { it });
    let wide = scheme.chars().filter_map(|it| char::from_u32(u32::from(it) - 0x20 + 0xFF00));
    let inside = [
        "\t",
        "\n",
        "\r",
        "\0",
        "\\",
        "\u{AD}",
        "\u{200B}",
        "\u{202E}",
        "&Tab;",
        "&NewLine;",
        "&#9;",
        "&shy;",
        "%0A",
    ];
    let before = [" ", "\u{1}", "\u{A0}", "\u{FEFF}", "&#1;", "&nbsp;", "\\", "./", "https://x.org@"];
    let mut all = vec![
        format!("{scheme}:x"),
        format!("{}:x", scheme.to_uppercase()),
        format!("{}:x", mixed.collect::<String>()),
        format!("{}:x", wide.collect::<String>()),
        format!("&#{number};{rest}:x"),
        format!("&#{number:07};{rest}:x"),
        format!("&#x{number:x};{rest}:x"),
        format!("&amp;#{number};{rest}:x"),
        format!("%{number:02x}{rest}:x"),
        format!("{scheme}&colon;x"),
        format!("{scheme}&#58;x"),
        format!("{scheme}%3Ax"),
        format!("{scheme}\\:x"),
        format!("{scheme} :x"),
        format!("{scheme}：x"),
        format!("{scheme}://x.org/%0aalert(1)"),
        format!("{scheme}:https://x.org"),
    ];
    all.extend(inside.iter().map(|it| format!("{start}{it}{end}:x")));
    all.extend(before.iter().map(|it| format!("{it}{scheme}:x")));
    all
}

/// The addresses written by hand in every shape, and each disguise in some, so that all shapes see all kinds.
fn addresses_in_shapes() -> Vec<String> {
    let in_shape = |shape: &str, address: &str| shape.replace("{}", address);
    let mut all: Vec<String> = Vec::new();
    for (number, address) in addresses().iter().enumerate() {
        let by_hand = number < ADDRESSES.len();
        let chosen = SHAPES.iter().enumerate().filter(|(at, _)| by_hand || (at + number) % 9 == 0);
        all.extend(chosen.map(|(_, shape)| in_shape(shape, address)));
    }
    all
}

/// Each character that is not seen, where text, code, links, tags and marks are.
fn characters() -> Vec<String> {
    let shapes = [
        "a{}b",
        "`a{}b`",
        "[a{}](https://x.org/{})",
        "```a{}\na{}b\n```",
        "{}[a](command{}:b)",
        "<{}b>",
        "{}# a\n{}- b",
    ];
    let of = |character: char| shapes.iter().map(move |shape| shape.replace("{}", &character.to_string()));
    hostile_characters().into_iter().flat_map(of).collect()
}

/// HTML: each tag in each form.
fn tags() -> Vec<String> {
    let tags = [
        "script", "style", "iframe", "img", "svg", "math", "a", "div", "pre", "textarea", "title", "details",
        "base", "meta", "object", "form", "table", "b", "x-y",
    ];
    let forms = [
        "<{}>",
        "</{}>",
        "<{} onclick=alert(1)>a</{}>",
        "<{}\nonclick='x'\n>",
        "<{}/x=",
        "<<{}>{}>",
        "< {}>",
        "&lt;{}&gt;",
        "a\n<{}>\n\n[a](command:b)\n\n</{}>",
        "`<{}>`",
        "\\<{}>",
        "<{} a='>'<b>",
    ];
    let of = |tag: &'static str| forms.iter().map(move |form| form.replace("{}", tag));
    tags.into_iter().flat_map(of).collect()
}

/// Each mark behind one to four backslashes, with something to set free.
fn escapes() -> Vec<String> {
    let armed = [
        "[a](command:b)",
        "![a](data:b)",
        "<b>",
        "`<b>`",
        "*a*",
        "&lt;b&gt;",
        "# a",
        "- a",
        "```\n<b>\n```",
        "https://x.org/",
    ];
    let of = |text: &'static str| (1..=4).map(move |count| format!("{}{text}", "\\".repeat(count)));
    armed.into_iter().flat_map(of).collect()
}

/// Marks by entity, alone and with something to set free.
fn entities() -> Vec<String> {
    let marks = [
        '<', '>', '&', '[', ']', '(', ')', '!', '`', '*', '_', '#', '\\', '\n', '\r', '\t', ' ', '|', '~',
        ':', '\u{202E}',
    ];
    let of = |mark: char| {
        let number = u32::from(mark);
        [
            format!("a&#{number};b"),
            format!("&#x{number:X};a](command:b)"),
            format!("a&#10;&#{number};&#{number};&#{number}; b"),
            format!("[a](https://x.org/&#{number};b)"),
        ]
    };
    marks.into_iter().flat_map(of).collect()
}

/// Fences inside of fences, closed and not.
fn fences() -> Vec<String> {
    let mut all = Vec::new();
    for outer in ["```", "````", "~~~", "`````", "> ```", "- ~~~", "``"] {
        for inner in ["``", "```", "````", "~~~", "    ```", "> ```", "```suggestion"] {
            for language in ["", "suggestion", "html\u{202E}"] {
                all.push(format!("{outer}{language}\n{inner}\n<b>[a](command:b)\n{inner}\n{outer}\n<i>"));
            }
        }
    }
    all
}

/// Marks inside of themselves: a few, as many as are shown, and many more.
fn depths() -> Vec<String> {
    let marks = [
        "> ", "- ", "1. ", "> - ", "*a ", "**", "~~", "[", "![", "[](", "(", "<", "<b>", "`", "`a", "# ",
        "|", "\\", "&", "\t", "@{",
    ];
    let of =
        |mark: &'static str| [3, 40, 400].map(|depth| format!("{}<b>[a](command:b)", mark.repeat(depth)));
    marks.into_iter().flat_map(of).collect()
}

/// Lines that mean something below, or above, another.
fn lines() -> Vec<String> {
    let mut all = Vec::new();
    for above in ["a", "> a", "- a", "| a |", "# a", "<b>", "`a", "[a]:", "@{557058:cem}"] {
        for below in [
            "===",
            "---",
            "- ",
            "| - |",
            "> b",
            "    b",
            "1. b",
            "# b",
            "***",
            ": b",
            "```",
            "command:b",
            "<b>",
        ] {
            all.push(format!("{above}\n{below}\n[a]"));
        }
    }
    all
}

/// A lot of something: marks on one letter, one word, one line, many lines.
fn heaps() -> Vec<String> {
    let zalgo = |count: usize| -> String {
        let marks = ('\u{300}'..='\u{36F}').cycle().take(count);
        "comment".chars().flat_map(|letter| std::iter::once(letter).chain(marks.clone())).collect()
    };
    vec![
        zalgo(3),
        zalgo(100),
        "a".repeat(3_000),
        "日".repeat(1_000),
        "👩\u{200D}".repeat(300),
        "\u{202E}\u{202D}".repeat(500),
        "\u{200B}".repeat(2_000),
        "a\n".repeat(500),
        "\n".repeat(2_000),
        " ".repeat(2_000),
        "a ".repeat(1_000),
        "https://x.org/".repeat(200),
        format!("https://x.org/{}", "a".repeat(3_000)),
        format!("[a](https://x.org/{})", "(".repeat(500)),
        format!("`{}`", "`` ".repeat(300)),
        "[a](command:b) ".repeat(200),
        "<b>".repeat(500),
        "&lt;".repeat(500),
        "| a ".repeat(300),
        format!("|{}\n|{}\n|{}", "a|".repeat(100), "-|".repeat(100), "<b>|".repeat(100)),
    ]
}
