//! A browser, and everything else that can connect to a port.

use bitbucket::oauth::Login;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What came back; empty if the connection was closed or broke.
#[derive(Debug)]
pub(crate) struct Reply(pub(crate) String);

impl Reply {
    pub(crate) fn status(&self) -> u16 {
        self.0.split(' ').nth(1).map_or(0, |status| status.parse().unwrap())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let head = self.0.split("\r\n\r\n").next().unwrap_or_default();
        let line = head
            .split("\r\n")
            .find(|line| line.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(name)))?;
        line.split_once(": ").map(|(_, value)| value)
    }

    pub(crate) fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }
}

/// Sends bytes, says that no more come, and reads to the end.
pub(crate) async fn send(port: u16, bytes: &[u8]) -> Reply {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await else {
        return Reply("refused".into());
    };
    // A listener that closes early breaks the pipe, which is its right.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply).await;
    Reply(String::from_utf8_lossy(&reply).into_owned())
}

/// A browser's `GET`.
pub(crate) fn request(port: u16, target: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n\
         Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\nSec-Fetch-Mode: navigate\r\n\
         Connection: keep-alive\r\nUpgrade-Insecure-Requests: 1\r\n\r\n"
    )
}

pub(crate) async fn get(port: u16, target: &str) -> Reply {
    send(port, request(port, target).as_bytes()).await
}

/// The state of a sign-in, which only Bitbucket and its browser know.
pub(crate) fn state(login: &Login) -> String {
    let mut pairs = login.authorize_url().query_pairs();
    pairs.find(|(name, _)| name == "state").unwrap().1.into_owned()
}

/// Where Bitbucket sends the browser to.
pub(crate) fn granted(login: &Login, code: &str) -> String {
    format!("/callback?state={}&code={code}", state(login))
}
