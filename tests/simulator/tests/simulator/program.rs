//! The program `simulator`, as a suite in another language starts it.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;

#[test]
fn it_says_where_it_is_and_ends_with_its_input() {
    let folder = tempfile::tempdir().unwrap();
    let clone = folder.path().join("till");
    let mut child = Command::new(env!("CARGO_BIN_EXE_simulator"))
        .args(["serve", "demo", "--clone"])
        .arg(&clone)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let told: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(told["branch"], "discounts");
    assert_eq!(told["pid"], child.id());
    assert_eq!(told["environment"]["BITBUCKET_API_URL"], told["api_url"]);
    assert!(clone.join("till/cart.py").is_file());
    let address = told["web_url"].as_str().unwrap().trim_start_matches("http://");
    assert!(std::net::TcpStream::connect(address).is_ok());
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn a_scenario_that_is_none_is_refused_with_its_place() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "[[user]]\nid = 3\n").unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_simulator")).arg("serve").arg(file.path()).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(!done.status.success() && said.contains("line 2"), "{said}");
}
