//! Remotes by the dozen, and two independent URL parsers compared.
//!
//! Each refusal is checked by its reason, so that a URL cannot be refused for something else by luck.

use proptest::prelude::*;

use super::*;
use crate::Origin;

fn cloud() -> WebHost {
    Origin::default().web_host()
}

fn loopback() -> WebHost {
    Origin::new(None, Some("http://127.0.0.1:7990")).unwrap().web_host()
}

const ACCEPTED: &[(&str, &str)] = &[
    ("git@bitbucket.org:team/app.git", "team/app"),
    ("git@bitbucket.org:team/app", "team/app"),
    ("git@bitbucket.org:team/app/", "team/app"),
    ("git@bitbucket.org:team/app.git/", "team/app"),
    ("git@bitbucket.org:/team/app.git", "team/app"),
    ("bitbucket.org:team/app.git", "team/app"),
    ("hg@bitbucket.org:team/app", "team/app"),
    ("git@BitBucket.ORG:team/app.git", "team/app"),
    ("git@www.bitbucket.org:team/app.git", "team/app"),
    ("git@altssh.bitbucket.org:team/app.git", "team/app"),
    ("git@bitbucket.org:Team/App.git", "Team/App"),
    ("git@bitbucket.org:my_team/my-app.rs.git", "my_team/my-app.rs"),
    ("git@bitbucket.org:team/.github", "team/.github"),
    ("git@bitbucket.org:team/app.git.git", "team/app.git"),
    ("git@bitbucket.org:team/_", "team/_"),
    ("git@bitbucket.org:1/2", "1/2"),
    ("ssh://git@bitbucket.org/team/app.git", "team/app"),
    ("ssh://git@bitbucket.org/team/app", "team/app"),
    ("ssh://git@bitbucket.org/team/app/", "team/app"),
    ("ssh://git@bitbucket.org:22/team/app.git", "team/app"),
    ("ssh://bitbucket.org/team/app.git", "team/app"),
    ("ssh://bitbucket.org:22/team/app.git", "team/app"),
    ("SSH://git@bitbucket.org/team/app.git", "team/app"),
    ("git+ssh://git@bitbucket.org/team/app.git", "team/app"),
    ("ssh+git://git@bitbucket.org/team/app.git", "team/app"),
    ("ssh://git@altssh.bitbucket.org:443/team/app.git", "team/app"),
    ("ssh://git@altssh.bitbucket.org/team/app.git", "team/app"),
    ("ssh://git@ALTSSH.bitbucket.org:443/team/app", "team/app"),
    ("https://bitbucket.org/team/app.git", "team/app"),
    ("https://bitbucket.org/team/app", "team/app"),
    ("https://bitbucket.org/team/app/", "team/app"),
    ("https://bitbucket.org/team/app.git/", "team/app"),
    ("https://bitbucket.org:443/team/app.git", "team/app"),
    ("https://www.bitbucket.org/team/app.git", "team/app"),
    ("https://ana@bitbucket.org/team/app.git", "team/app"),
    ("https://ana:s3cret@bitbucket.org/team/app.git", "team/app"),
    ("https://x-token-auth:s3cret@bitbucket.org/team/app.git", "team/app"),
    ("https://ana%40x.org:s3cret%2F@bitbucket.org/team/app.git", "team/app"),
    ("https://:s3cret@bitbucket.org/team/app.git", "team/app"),
    ("https://@bitbucket.org/team/app.git", "team/app"),
    ("HTTPS://BITBUCKET.ORG/team/app.git", "team/app"),
    ("HttpS://Bitbucket.Org/Team/App", "Team/App"),
    ("https://bitbucket.org/team/app-2.0", "team/app-2.0"),
    ("https://bitbucket.org/team/a..b", "team/a..b"),
];

/// URL, and a part of the reason.
const REFUSED: &[(&str, &str)] = &[
    // Lookalikes.
    ("https://bitbucket.org.evil.example/team/app", "host is bitbucket.org.evil.example"),
    ("https://evilbitbucket.org/team/app", "host is evilbitbucket.org"),
    ("https://evil-bitbucket.org/team/app", "host is evil-bitbucket.org"),
    ("https://bitbucket.com/team/app", "host is bitbucket.com"),
    ("https://bitbucket.org.com/team/app", "host is"),
    ("https://bitbucket.org.org/team/app", "host is"),
    ("https://bitbucket.co/team/app", "host is"),
    ("https://bitbucket-org/team/app", "host is"),
    ("https://bitbucket_org/team/app", "host is"),
    ("https://bitbucketXorg/team/app", "host is"),
    ("https://bitbucket.orgg/team/app", "host is"),
    ("https://bitbucket.or/team/app", "host is"),
    ("https://bltbucket.org/team/app", "host is"),
    ("https://bitbvcket.org/team/app", "host is"),
    ("https://bitbucket.org./team/app", "host is bitbucket.org."),
    ("https://.bitbucket.org/team/app", "host is .bitbucket.org"),
    ("https://..bitbucket.org/team/app", "host is"),
    ("https://api.bitbucket.org/team/app", "host is api.bitbucket.org"),
    ("https://x.bitbucket.org/team/app", "host is"),
    ("https://team.bitbucket.org/app/x", "host is"),
    ("https://www.www.bitbucket.org/team/app", "host is"),
    ("https://altssh.bitbucket.org/team/app", "host is altssh.bitbucket.org"),
    ("https://bitbucket.org-work/team/app", "host is"),
    ("https://github.com/bitbucket.org/app", "host is github.com"),
    ("https://gitlab.com/team/app.git", "host is gitlab.com"),
    ("https://127.0.0.1/team/app", "host is 127.0.0.1"),
    ("https://104.192.141.1/team/app", "host is 104.192.141.1"),
    ("https://[::1]/team/app", "host is [::1]"),
    ("https://[bitbucket.org]/team/app", "no host name"),
    ("https://0x7f.1/team/app", "host is 0x7f.1"),
    ("git@bitbucket.org.evil.example:team/app.git", "host is"),
    ("git@evilbitbucket.org:team/app.git", "host is"),
    ("git@bitbucket.org-work:team/app.git", "host is bitbucket.org-work"),
    ("bitbucket_org:team/app.git", "host is bitbucket_org"),
    ("git@github.com:team/app.git", "host is github.com"),
    ("ssh://git@bitbucket.org.evil.example/team/app", "host is"),
    ("ssh://git@evilbitbucket.org:22/team/app", "host is"),
    ("ssh://git@evil.altssh.bitbucket.org:443/team/app", "host is"),
    ("ssh://git@bitbucket.org./team/app", "host is"),
    // User info that looks like the host.
    ("https://bitbucket.org@evil.example/team/app", "host is evil.example"),
    ("https://bitbucket.org:443@evil.example/team/app", "host is evil.example"),
    ("https://bitbucket.org:x@evil.example:443/team/app", "host is evil.example"),
    ("https://user@bitbucket.org@evil.example/team/app", "several @"),
    ("https://evil.example@user@bitbucket.org/team/app", "several @"),
    ("https://evil.example%40bitbucket.org/team/app", "no host name"),
    ("https://evil.example;@bitbucket.org@x/team/app", "several @"),
    ("https://bitbucket.org%2f@evil.example/team/app", "host is evil.example"),
    ("https://bitbucket.org%23@evil.example/team/app", "host is evil.example"),
    ("git@evil.example@bitbucket.org:team/app", "several @"),
    ("bitbucket.org@evil.example:team/app", "host is evil.example"),
    ("ssh://bitbucket.org@evil.example/team/app", "host is evil.example"),
    ("ssh://git@bitbucket.org@evil.example/team/app", "several @"),
    // Characters on which parsers disagree.
    ("https://evil.example\\@bitbucket.org/team/app", "backslash"),
    ("https://bitbucket.org\\@evil.example/team/app", "backslash"),
    ("https://bitbucket.org\\.evil.example/team/app", "backslash"),
    ("https:\\\\bitbucket.org\\team\\app", "backslash"),
    ("https://evil.example#@bitbucket.org/team/app", "query or a fragment"),
    ("https://evil.example?@bitbucket.org/team/app", "query or a fragment"),
    ("https://bitbucket.org?@evil.example/team/app", "query or a fragment"),
    ("https://bitbucket.org#@evil.example/team/app", "query or a fragment"),
    ("https://bitbucket.org/team/app?x=1", "query or a fragment"),
    ("https://bitbucket.org/team/app#readme", "query or a fragment"),
    ("https://bitbucket.org/team/app.git\n", "control character"),
    ("https://bitbucket.org/team/app\r\nHost: evil.example", "control character"),
    ("https://bitbucket.org/te\tam/app", "control character"),
    (" https://bitbucket.org/team/app", "control character"),
    ("https://bitbucket.org /team/app", "control character"),
    ("https://bitbucket.org/team/app\0", "control character"),
    ("https://bitbucket.org/team/app\u{7f}", "control character"),
    ("https://bitbucket.org%00.evil.example/team/app", "no host name"),
    ("https://bitbucket.org%0a/team/app", "no host name"),
    ("https://bitbucket%2eorg/team/app", "no host name"),
    ("https://bitbucket.org%2fteam/app/x", "no host name"),
    ("https://bitbucket.org,evil.example/team/app", "no host name"),
    ("https://bitbucket.org;evil.example/team/app", "no host name"),
    ("https://bitbucket.org&evil.example/team/app", "no host name"),
    ("https://bitbucket.org$evil.example/team/app", "no host name"),
    ("https://bitbucket.org(x)/team/app", "no host name"),
    ("https://bitbucket.org|evil/team/app", "no host name"),
    // Other scripts.
    ("https://b\u{456}tbucket.org/team/app", "other scripts"),
    ("https://\u{432}itbucket.org/team/app", "other scripts"),
    ("https://bitbucket\u{3002}org/team/app", "other scripts"),
    ("https://bitbucket\u{ff0e}org/team/app", "other scripts"),
    ("https://bitbucket\u{2024}org/team/app", "other scripts"),
    ("https://bitbucket.org\u{ff0f}team/app", "other scripts"),
    ("https://bitbucket.org\u{2044}evil.example/team/app", "other scripts"),
    ("https://\u{ff42}itbucket.org/team/app", "other scripts"),
    ("https://bitbucket.org\u{200b}/team/app", "other scripts"),
    ("https://bitbucket.org\u{ad}/team/app", "other scripts"),
    ("https://bitbucket.org/t\u{e9}am/app", "other scripts"),
    ("https://xn--btbucket-yfg.org/team/app", "host is xn--btbucket-yfg.org"),
    ("git@b\u{456}tbucket.org:team/app", "other scripts"),
    // Ports.
    ("https://bitbucket.org:8443/team/app", "port"),
    ("https://bitbucket.org:80/team/app", "port"),
    ("https://bitbucket.org:22/team/app", "port"),
    ("https://bitbucket.org:/team/app", "port that is no number"),
    ("https://bitbucket.org:0443/team/app", "port that is no number"),
    ("https://bitbucket.org:+443/team/app", "port that is no number"),
    ("https://bitbucket.org:443.evil.example/team/app", "port that is no number"),
    ("https://bitbucket.org:99999/team/app", "port that is no number"),
    ("https://bitbucket.org:0/team/app", "port that is no number"),
    ("https://bitbucket.org:443:443/team/app", "port that is no number"),
    ("ssh://git@bitbucket.org:443/team/app", "port"),
    ("ssh://git@bitbucket.org:2222/team/app", "port"),
    ("ssh://git@altssh.bitbucket.org:2222/team/app", "port"),
    ("ssh://git@bitbucket.org:-1/team/app", "port that is no number"),
    // Protocols.
    ("http://bitbucket.org/team/app.git", "uses http"),
    ("http://bitbucket.org:443/team/app.git", "uses http"),
    ("git://bitbucket.org/team/app.git", "git://"),
    ("ftp://bitbucket.org/team/app.git", "protocol"),
    ("ftps://bitbucket.org/team/app.git", "protocol"),
    ("rsync://bitbucket.org/team/app.git", "protocol"),
    ("javascript://bitbucket.org/team/app", "protocol"),
    ("data://bitbucket.org/team/app", "protocol"),
    ("https+git://bitbucket.org/team/app", "protocol"),
    ("ext://bitbucket.org/team/app", "protocol"),
    ("-https://bitbucket.org/team/app", "protocol"),
    ("ext::sh", "remote helper"),
    ("ext::https://bitbucket.org/team/app", "remote helper"),
    ("ext::git@bitbucket.org:team/app", "remote helper"),
    ("fd::17", "remote helper"),
    ("https::https://bitbucket.org/team/app", "remote helper"),
    ("git::https://bitbucket.org/team/app", "remote helper"),
    ("bitbucket.org::team/app", "remote helper"),
    ("ext::sh -c touch% /tmp/pwned", "space or a control"),
    ("file:///srv/bitbucket.org/team/app", "folder"),
    ("file://bitbucket.org/team/app", "folder"),
    // Folders.
    ("/srv/bitbucket.org/team/app", "folder"),
    ("./bitbucket.org:team/app", "folder"),
    ("../app", "folder"),
    ("~/bitbucket.org/team/app", "folder"),
    ("bitbucket.org/team/app", "folder"),
    ("C:/bitbucket.org/team", "folder"),
    ("c:team/app", "folder"),
    ("C:\\team\\app", "backslash"),
    ("\\\\bitbucket.org\\team\\app", "backslash"),
    ("app", "folder"),
    ("", "no URL"),
    // No host.
    ("https:///team/app", "no host name"),
    ("https://@/team/app", "no host name"),
    ("https://:443/team/app", "no host name"),
    ("ssh:///team/app", "no host name"),
    ("git@:team/app", "no host name"),
    ("ssh://-oProxyCommand=x/team/app", "no host name"),
    ("-oProxyCommand=x:team/app", "no host name"),
    ("git@-bitbucket.org:team/app", "no host name"),
    ("[git@bitbucket.org:22]:team/app", "host"),
    ("https:bitbucket.org/team/app", "host is https"),
    // Paths.
    ("https://bitbucket.org", "workspace/repository"),
    ("https://bitbucket.org/", "workspace/repository"),
    ("https://bitbucket.org/team", "workspace/repository"),
    ("https://bitbucket.org/team/", "workspace/repository"),
    ("https://bitbucket.org/team/.git", "names do not have"),
    ("https://bitbucket.org//team/app", "workspace/repository"),
    ("https://bitbucket.org/team//app", "workspace/repository"),
    ("https://bitbucket.org/team/app//", "workspace/repository"),
    ("https://bitbucket.org/team/app/src/main", "workspace/repository"),
    ("https://bitbucket.org/team/app/pull-requests/1", "workspace/repository"),
    ("https://bitbucket.org/../app", "names do not have"),
    ("https://bitbucket.org/team/..", "names do not have"),
    ("https://bitbucket.org/./app", "names do not have"),
    ("https://bitbucket.org/team/../other/app", "workspace/repository"),
    ("https://bitbucket.org/team%2fapp", "encoded"),
    ("https://bitbucket.org/team%2Fapp/x", "encoded"),
    ("https://bitbucket.org/team/%2e%2e", "encoded"),
    ("https://bitbucket.org/team/app%0a", "encoded"),
    ("https://bitbucket.org/team/app%00.git", "encoded"),
    ("https://bitbucket.org/%7Buuid%7D/app", "encoded"),
    ("https://bitbucket.org/{uuid}/app", "names do not have"),
    ("https://bitbucket.org/team/a@b", "names do not have"),
    ("https://bitbucket.org/team/a:b", "names do not have"),
    ("https://bitbucket.org/team/a;b", "names do not have"),
    ("https://bitbucket.org/team/$(id)", "names do not have"),
    ("https://bitbucket.org/team/`id`", "names do not have"),
    ("https://bitbucket.org/-team/app", "names do not have"),
    ("https://bitbucket.org/team/--upload-pack=x", "names do not have"),
    ("https://bitbucket.org/~team/app", "names do not have"),
    ("git@bitbucket.org:team", "workspace/repository"),
    ("git@bitbucket.org:", "workspace/repository"),
    ("git@bitbucket.org:22/team/app", "workspace/repository"),
    ("git@bitbucket.org://team/app", "protocol"),
    ("git@bitbucket.org:../app", "names do not have"),
    ("git@bitbucket.org:~/app", "names do not have"),
    ("git@bitbucket.org:-team/app", "names do not have"),
    ("git@bitbucket.org:team/app%2f", "encoded"),
    ("ssh://git@bitbucket.org/~/team/app", "workspace/repository"),
];

#[test]
fn forms_that_are_bitbuckets() {
    for (url, expected) in ACCEPTED {
        match parse(url, &cloud(), None) {
            Ok(name) => assert_eq!(name.to_string(), *expected, "{url}"),
            Err(refusal) => panic!("{url}: {refusal}"),
        }
    }
    const { assert!(ACCEPTED.len() + REFUSED.len() >= 200) };
}

#[test]
fn forms_that_are_not_say_why() {
    for (url, reason) in REFUSED {
        match parse(url, &cloud(), None) {
            Ok(name) => panic!("{url:?} was taken for {name}"),
            Err(NotBitbucket { why }) => {
                assert!(why.contains(reason), "{url:?}: {why}");
                assert!(why.ends_with('.') && why.starts_with("The remote"), "{why}");
            }
        }
    }
}

#[test]
fn a_refusal_never_shows_user_info() {
    for url in [
        "https://x-token-auth:s3cret@evil.example/team/app",
        "https://s3cret@bitbucket.org:1/team/app",
        "https://a:s3cret@b@bitbucket.org/team/app",
        "https://a:s3cret@bitbucket.org/team/app?x",
        "s3cret@evil.example:team/app",
    ] {
        let refusal = parse(url, &cloud(), None).unwrap_err();
        assert!(!refusal.to_string().contains("s3cret"), "{refusal}");
    }
}

#[test]
fn the_configured_host_takes_the_place_of_bitbucket() {
    let web = loopback();
    let name = |url: &str| parse(url, &web, None).map(|name| name.to_string()).map_err(|error| error.why);
    for url in [
        "http://127.0.0.1:7990/team/app.git",
        "http://x-token-auth:tok@127.0.0.1:7990/team/app",
        "git@127.0.0.1:team/app",
        "ssh://git@127.0.0.1/team/app",
    ] {
        assert_eq!(name(url), Ok("team/app".into()), "{url}");
    }
    for url in [
        "http://127.0.0.1/team/app.git",
        "http://127.0.0.1:7991/team/app.git",
        "https://127.0.0.1:7990/team/app.git",
        "http://localhost:7990/team/app.git",
        "https://bitbucket.org/team/app.git",
        "git@bitbucket.org:team/app.git",
        "ssh://git@altssh.bitbucket.org:443/team/app.git",
    ] {
        assert!(name(url).is_err(), "{url}");
    }
    let below = Origin::new(None, Some("https://example.com/bb/")).unwrap().web_host();
    let name = |url: &str| parse(url, &below, None).ok().map(|name| name.to_string());
    assert_eq!(name("https://example.com/bb/team/app.git").as_deref(), Some("team/app"));
    assert_eq!(name("https://example.com/team/app.git"), None);
    assert_eq!(name("https://example.com/bbteam/app.git"), None);
    let v6 = Origin::new(None, Some("http://[::1]:7990")).unwrap().web_host();
    assert!(parse("http://[::1]:7990/team/app", &v6, None).is_ok());
    assert!(parse("http://[::2]:7990/team/app", &v6, None).is_err());
}

#[test]
fn ssh_aliases_count_by_their_real_host() {
    let name = |url: &str, alias: &str| parse(url, &cloud(), Some(alias)).ok().map(|name| name.to_string());
    let app = Some("team/app".to_owned());
    assert_eq!(name("git@bitbucket.org-work:team/app.git", "bitbucket.org"), app);
    assert_eq!(name("work:team/app.git", "altssh.bitbucket.org"), app);
    assert_eq!(name("ssh://git@work/team/app.git", "BITBUCKET.ORG"), app);
    assert_eq!(name("ssh://git@work:443/team/app.git", "altssh.bitbucket.org"), app);
    // `Host bitbucket.org` with `HostName altssh.bitbucket.org`, as Atlassian advises.
    assert_eq!(name("git@bitbucket.org:team/app.git", "altssh.bitbucket.org"), app);
    // The name says Bitbucket; ssh goes by way of somewhere else, for example a fixed address.
    assert_eq!(name("git@bitbucket.org:team/app.git", "104.192.141.1"), app);
    assert_eq!(name("git@work:team/app.git", "bitbucket.org.evil.example"), None);
    assert_eq!(name("ssh://git@work:2222/team/app.git", "bitbucket.org"), None);
    assert_eq!(name("ssh://[:]/team/app.git", "bitbucket.org"), None);
    assert_eq!(name("ssh://git@[::1]/team/app.git", "bitbucket.org"), app);
    // ssh's configuration says nothing about https.
    assert_eq!(name("https://work/team/app.git", "bitbucket.org"), None);
}

/// Pieces that URL parsers trip over.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::sample::select(vec![
            "bitbucket.org", "www.bitbucket.org", "altssh.bitbucket.org", "evil.example", "team", "app", "git",
            "https", "ssh", "http", "443", "22", "80", "xn--", ".git",
        ]).prop_map(str::to_owned),
        3 => prop::sample::select(vec![
            "/", "//", "://", ":", "::", "@", ".", "..", "-", "_", "%", "%2f", "%0a", "%40", "\\", "?", "#", "[",
            "]", "\t", " ", "\u{3002}", "\u{456}", ";", "&", "=", "~",
        ]).prop_map(str::to_owned),
        1 => "[ -~]{1,3}",
        1 => ".{1,2}",
    ]
}

fn url_like() -> impl Strategy<Value = String> {
    let start = prop::sample::select(vec![
        "",
        "https://",
        "ssh://",
        "git@",
        "https://bitbucket.org/",
        "https://bitbucket.org",
        "git@bitbucket.org:",
        "ssh://git@bitbucket.org",
        "https://team@",
        "https://bitbucket.org/team/",
        "git@bitbucket.org:team/",
    ]);
    (
        start,
        prop::collection::vec(piece(), 0..7),
        prop::sample::select(vec!["", "/team/app", "/app", ":team/app"]),
    )
        .prop_map(|(start, pieces, end)| format!("{start}{}{end}", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]
    /// Whatever is accepted, an independent parser of the WHATWG's URL standard sees the same host, port
    /// and path in.
    #[test]
    fn an_independent_parser_agrees(url in url_like()) {
        let Ok(name) = parse(&url, &cloud(), None) else { return Ok(()) };
        let scp = !url.contains("://");
        let written = match scp {
            // The scp form has no standard; rewrite it as git does.
            true => format!("ssh://{}", url.replacen(':', "/", 1)),
            false => url.clone(),
        };
        let parsed = Url::parse(&written);
        prop_assert!(parsed.is_ok(), "{url} is no URL");
        let parsed = parsed.unwrap();
        let host = parsed.host_str().unwrap_or_default().to_ascii_lowercase();
        let hosts = ["bitbucket.org", "www.bitbucket.org", "altssh.bitbucket.org"];
        prop_assert!(hosts.contains(&host.as_str()), "{url} has the host {host}");
        prop_assert!(matches!(parsed.port(), None | Some(22 | 443)), "{url}");
        let path = parsed.path().trim_matches('/').trim_end_matches(".git").to_owned();
        let expected = name.to_string();
        prop_assert_eq!(path, expected.trim_end_matches(".git"), "{}", url);
    }
}
