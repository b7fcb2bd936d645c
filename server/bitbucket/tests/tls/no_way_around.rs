//! Nothing in the source can turn the checks of certificates off.

use std::fs;
use std::path::{Path, PathBuf};

/// What the ways around are called, in two parts so that this file has none of them.
const WAYS: [(&str, &str); 14] = [
    ("danger", "_accept"),
    ("tls_", "danger"),
    ("danger", "ous("),
    ("client::", "danger"),
    ("accept_", "invalid"),
    ("Server", "CertVerifier"),
    ("custom_certificate", "_verifier"),
    ("tls_backend", "_preconfigured"),
    ("use_preconfigured", "_tls"),
    ("tls_sni", "(false"),
    ("set_", "verify"),
    ("ssl", "Verify"),
    ("SSL_NO", "_VERIFY"),
    ("insecure", "_"),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.extension() {
            _ if path.is_dir() => sources(&path, found),
            Some(extension) if extension == "rs" || extension == "toml" => found.push(path),
            _ => {}
        }
    }
}

#[test]
fn no_code_of_the_server_turns_the_checks_of_certificates_off() {
    let server = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    sources(server, &mut files);
    assert!(files.len() > 100, "{} files", files.len());
    let mut has_the_client = false;
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        has_the_client |= text.contains("tls_certs_merge");
        for (one, other) in WAYS {
            let way = format!("{one}{other}");
            assert!(!text.contains(&way), "{} has {way}", file.display());
        }
    }
    assert!(has_the_client, "the code that makes clients is among them");
}
