//! A raw HTTP client, so that nothing between the test and the bytes is clever.

use simulator::Simulator;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
    /// The body is as long as the head says.
    pub(crate) whole: bool,
}

impl Reply {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let wanted = format!("{name}: ");
        self.head.lines().find_map(|line| line.strip_prefix(&wanted))
    }
}

/// Sends one request with a connection of its own; an error is a connection that broke before the head was whole.
pub(crate) async fn send(
    simulator: &Simulator,
    method: &str,
    target: &str,
    authorization: Option<&str>,
    body: &str,
) -> std::io::Result<Reply> {
    let headers: Vec<(&str, &str)> =
        authorization.map(|value| ("authorization", value)).into_iter().collect();
    send_with(simulator, method, target, &headers, body).await
}

/// The same with any headers.
pub(crate) async fn send_with(
    simulator: &Simulator,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> std::io::Result<Reply> {
    let host = simulator.web_url().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&host).await?;
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    let head = format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\n{headers}content-length: {length}");
    stream.write_all(format!("{head}\r\nconnection: close\r\n\r\n{body}").as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    let end =
        bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = bytes[end + 4..].to_vec();
    let mut reply = Reply { status, head, body, whole: false };
    reply.whole = reply.header("content-length") == Some(&reply.body.len().to_string());
    Ok(reply)
}

/// `GET` with the first account's token. A target below the API may leave out `/2.0` and the repository: `…` stands
/// for the demo's repository.
pub(crate) async fn get(simulator: &Simulator, target: &str) -> Reply {
    let target = target.replace('…', "/2.0/repositories/corner-shop/till");
    let target = target.strip_prefix(&simulator.web_url()).unwrap_or(&target);
    let bearer = format!("Bearer {}", simulator.token());
    send(simulator, "GET", target, Some(&bearer), "").await.unwrap()
}

/// `POST` of a control request, which must succeed.
pub(crate) async fn control(simulator: &Simulator, route: &str, body: &str) -> serde_json::Value {
    let reply = send(simulator, "POST", &format!("/_simulator/{route}"), None, body).await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

/// A request of the account with this number, with a JSON body unless it is null. `…` as in [`get`].
pub(crate) async fn write(
    simulator: &Simulator,
    account: usize,
    method: &str,
    target: &str,
    body: serde_json::Value,
) -> Reply {
    let target = target.replace('…', "/2.0/repositories/corner-shop/till");
    let bearer = format!("Bearer {}", simulator.accounts()[account].token);
    let mut headers = vec![("authorization", bearer.as_str())];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    if !body.is_empty() {
        headers.push(("content-type", "application/json"));
    }
    send_with(simulator, method, &target, &headers, &body).await.unwrap()
}
