//! The block goes in, and the very bytes of before come back.

use proptest::prelude::*;

use super::*;

fn block(program: &str, use_http_path: bool) -> Block {
    Block::new(&Helper { url: "https://bitbucket.org", program: Path::new(program), use_http_path }).unwrap()
}

fn plain() -> Block {
    block("/opt/bitbucket-lsp", false)
}

fn restored(text: &[u8]) -> Option<String> {
    uninstalled(text).map(|restored| String::from_utf8(restored.text).unwrap())
}

#[test]
fn the_block_as_it_stands_in_a_file() {
    let text = installed(b"[user]\n\tname = Ana", &block("/opt/bitbucket-lsp", true), false);
    let expected = "[user]\n\tname = Ana\n\
        # bitbucket-lsp credential: begin (newlines added: 1, useHttpPath set)\n\
        [credential \"https://bitbucket.org\"]\n\
        \thelper =\n\
        \thelper = \"/opt/bitbucket-lsp credential\"\n\
        \tuseHttpPath = true\n\
        # bitbucket-lsp credential: end\n";
    assert_eq!(String::from_utf8(text).unwrap(), expected);
}

#[test]
fn installing_again_replaces_and_moves_to_the_end() {
    let first = installed(b"a", &plain(), false);
    assert_eq!(installed(&first, &plain(), false), first);
    let other = block("/usr/bin/bitbucket-lsp", true);
    assert_eq!(installed(&first, &other, false), installed(b"a", &other, false));
    let later = [&first, b"[b]\n".as_slice()].concat();
    assert_eq!(installed(&later, &plain(), false), installed(b"a\n[b]\n", &plain(), false));
    let made = installed(b"", &plain(), true);
    assert!(uninstalled(&installed(&made, &other, false)).unwrap().file_made);
}

#[test]
fn without_a_block_there_is_nothing_to_restore() {
    for text in
        ["", "[user]\n", "# bitbucket-lsp credential: beginning\n", " # bitbucket-lsp credential: begin\n"]
    {
        assert_eq!(restored(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn a_line_that_goes_on_is_ended_first() {
    let table = [("a = b \\", 2), ("a = b \\\n", 1), ("a = b \\\r\n", 1), ("a = b \\\\", 1), ("a\\\\\n", 0)];
    for (text, newlines) in table {
        assert_eq!(newlines_missing(text.as_bytes()), newlines, "{text:?}");
        assert_eq!(restored(&installed(text.as_bytes(), &plain(), false)).as_deref(), Some(text));
    }
}

#[test]
fn settings_that_git_wrote_into_our_section_stay() {
    let text = String::from_utf8(installed(b"[a]\n", &block("/x", true), false)).unwrap();
    let added = text.replace("\tuseHttpPath", "\tusername = ana\n\tuseHttpPath");
    let expected = "[a]\n[credential \"https://bitbucket.org\"]\n\tusername = ana\n";
    assert_eq!(restored(added.as_bytes()).as_deref(), Some(expected));
    let replaced = text.replace("\thelper = \"/x credential\"", "\thelper = store");
    let expected = "[a]\n[credential \"https://bitbucket.org\"]\n\thelper = store\n";
    assert_eq!(restored(replaced.as_bytes()).as_deref(), Some(expected));
    let text = String::from_utf8(installed(b"[a]\n", &plain(), false)).unwrap();
    let asked_by_others = text.replace(END, &format!("\tuseHttpPath = true\n{END}"));
    let expected = "[a]\n[credential \"https://bitbucket.org\"]\n\tuseHttpPath = true\n";
    assert_eq!(restored(asked_by_others.as_bytes()).as_deref(), Some(expected));
}

#[test]
fn what_is_left_of_a_block_goes() {
    let text = String::from_utf8(installed(b"[a]\n", &plain(), false)).unwrap();
    let no_end = text.replace("# bitbucket-lsp credential: end\n", "[b]\n\tc = d\n");
    assert_eq!(restored(no_end.as_bytes()).as_deref(), Some("[a]\n[b]\n\tc = d\n"));
    let only_begin = "[a]\n# bitbucket-lsp credential: begin\n[b]\n\thelper = x\n";
    assert_eq!(restored(only_begin.as_bytes()).as_deref(), Some("[a]\n[b]\n\thelper = x\n"));
    let at_the_end = "[a]\n# bitbucket-lsp credential: begin";
    assert_eq!(restored(at_the_end.as_bytes()).as_deref(), Some("[a]\n"));
    let twice = [text.as_str(), text.as_str()].concat();
    assert_eq!(restored(twice.as_bytes()).as_deref(), Some("[a]\n[a]\n"));
    let converted = text.replace('\n', "\r\n");
    assert_eq!(restored(converted.as_bytes()).as_deref(), Some("[a]\r\n"));
}

#[test]
fn text_that_came_after_the_block_begins_a_line_of_its_own() {
    let later = [installed(b"[a]\n\tb = c", &plain(), false).as_slice(), b"[d]\n"].concat();
    assert_eq!(restored(&later).as_deref(), Some("[a]\n\tb = c\n[d]\n"));
}

#[test]
fn programs_are_quoted_for_the_shell() {
    let table = [
        ("/opt/bitbucket-lsp", "/opt/bitbucket-lsp credential"),
        ("/opt/my tools/lsp", "!'/opt/my tools/lsp' credential"),
        ("/opt/ana's/lsp", r"!'/opt/ana'\''s/lsp' credential"),
        ("/opt/$(touch x);`y`/lsp", "!'/opt/$(touch x);`y`/lsp' credential"),
        ("/opt/ünï/lsp", "!'/opt/ünï/lsp' credential"),
        (r"/opt/a\b/lsp", r"!'/opt/a\b/lsp' credential"),
        ("/opt/~x/lsp", "!'/opt/~x/lsp' credential"),
    ];
    for (program, expected) in table {
        let command = command(Path::new(program), false).unwrap();
        assert_eq!(String::from_utf8(command).unwrap(), expected);
    }
    assert_eq!(forward(br"C:\Program Files\lsp.exe"), b"C:/Program Files/lsp.exe");
    assert_eq!(forward(br"\\?\C:\lsp.exe"), b"C:/lsp.exe");
    assert_eq!(forward(br"\\server\share\lsp.exe"), b"//server/share/lsp.exe");
    assert_eq!(escaped(br#"!'/a"b\c' credential"#), br#"!'/a\"b\\c' credential"#);
}

#[test]
fn helpers_that_git_could_not_run_are_refused() {
    let helper =
        |url, program| Block::new(&Helper { url, program: Path::new(program), use_http_path: false });
    for program in ["bitbucket-lsp", "./x", "", "/a\nb", "/a\u{7f}b", "/a\tb"] {
        assert!(
            matches!(helper("https://bitbucket.org", program), Err(Error::BadHelper { .. })),
            "{program:?}"
        );
    }
    let bad = [
        "bitbucket.org",
        "ssh://bitbucket.org",
        "https://",
        "https://bitbucket.org/",
        "https://ana@bitbucket.org",
        "https://bitbucket.org:",
        "https://bitbucket.org:99999",
        "https://bitbucket.org\"]",
        "https://bit\nbucket.org",
        "https://[]",
        "https://*.org",
    ];
    for url in bad {
        assert!(matches!(helper(url, "/x"), Err(Error::BadHelper { .. })), "{url:?}");
    }
    for url in ["https://bitbucket.org", "http://localhost:7990", "https://[::1]:8443", "https://[::1]"] {
        assert!(helper(url, "/x").is_ok(), "{url}");
    }
}

/// Texts that look like configuration, and any bytes.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "\n",
        "\r\n",
        "\r",
        "\\",
        "\"",
        "#",
        ";",
        "[a]",
        "[credential \"https://bitbucket.org\"]",
        "x = y",
        "\t",
        "\u{feff}",
        "\0",
        "helper =",
        END,
        "é",
    ]);
    let lines = prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat().into_bytes());
    prop_oneof![3 => lines, 1 => prop::collection::vec(any::<u8>(), 0..80)]
}

fn blocks() -> impl Strategy<Value = Block> {
    let program = "/[ -~é]{0,20}";
    (program, any::<bool>()).prop_map(|(program, use_http_path)| block(&program, use_http_path))
}

proptest! {
    #[test]
    fn any_text_comes_back(text in texts(), block in blocks(), made: bool) {
        let with = installed(&text, &block, made);
        prop_assert_eq!(installed(&with, &block, false), with.clone());
        prop_assert_eq!(uninstalled(&with), Some(Restored { text, file_made: made }));
    }

    #[test]
    fn what_was_added_since_stays(text in texts(), block in blocks(), before in texts(), after in texts()) {
        // A block begins at the start of a line.
        let before = if text.is_empty() && !before.is_empty() { [&before, b"\n".as_slice()].concat() } else { before };
        let with = [before.as_slice(), &installed(&text, &block, false), &after].concat();
        let ending: &[u8] = if text_has_crlf(&text) { b"\r\n" } else { b"\n" };
        let parting = if after.is_empty() { Vec::new() } else { ending.repeat(newlines_missing(&text)) };
        let expected = [before.as_slice(), &text, &parting, &after].concat();
        prop_assert_eq!(uninstalled(&with).map(|restored| restored.text), Some(expected));
    }

    #[test]
    fn a_second_installation_is_as_if_it_were_the_first(text in texts(), first in blocks(), second in blocks()) {
        let twice = installed(&installed(&text, &first, false), &second, false);
        prop_assert_eq!(twice, installed(&text, &second, false));
    }
}
