//! HTTP/1.1 on a TCP stream: as much of it as REST clients and git need, and no more.
//!
//! Written by hand because the simulator must be able to misbehave below the level of a web framework.
//! It must not know what the requests mean.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// Longest head of a request, in bytes.
const HEAD_LIMIT: usize = 64 * 1024;
/// Longest body of a request, in bytes.
const BODY_LIMIT: usize = 256 * 1024 * 1024;

/// A request as it came over the wire.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// As sent: percent-encoded, without the query.
    pub(crate) path: String,
    /// As sent, without the question mark; empty if there is none.
    pub(crate) query: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Value of a header; the name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The path's segments, decoded; empty ones left out.
    pub(crate) fn segments(&self) -> Vec<String> {
        self.path.split('/').filter(|segment| !segment.is_empty()).map(percent_decode).collect()
    }

    /// The query's pairs, decoded as a form: `+` is a space.
    pub(crate) fn parameters(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }

    /// First value of a query parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        self.parameters().into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// All values of a repeatable query parameter.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        self.parameters().into_iter().filter(|(known, _)| known == name).map(|(_, value)| value).collect()
    }

    fn wants_close(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

/// What goes back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// An answer with a content type.
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("content-type".into(), content_type.into())], body: body.into() }
    }

    /// JSON.
    pub(crate) fn json(status: u16, value: &serde_json::Value) -> Self {
        Self::new(status, "application/json; charset=utf-8", value.to_string())
    }

    /// Plain text.
    pub(crate) fn text(status: u16, text: &str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", text)
    }

    /// No body, and no type of one.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// The same answer with one more header.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Value of a header; the name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// One connection.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    close: bool,
    head_only: bool,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> Self {
        // Small answers should not wait for more; failing to say so only costs time.
        let _ = stream.set_nodelay(true);
        Self { stream: BufReader::new(stream), close: false, head_only: false }
    }

    /// The next request; `None` once the client is done.
    pub(crate) async fn read(&mut self) -> io::Result<Option<Request>> {
        if self.close {
            return Ok(None);
        }
        let mut request = Request::default();
        let mut read = 0;
        let Some(first) = self.line(&mut read).await? else {
            return Ok(None);
        };
        let mut words = first.split(' ');
        request.method = words.next().unwrap_or_default().to_owned();
        let target = words.next().ok_or_else(|| bad("no target"))?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        request.path = path.to_owned();
        request.query = query.to_owned();
        loop {
            let line = self.line(&mut read).await?.ok_or_else(|| bad("cut head"))?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or_else(|| bad("header without a colon"))?;
            request.headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
        if request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        request.body = self.body(&request).await?;
        self.close = words.next() == Some("HTTP/1.0") || request.wants_close();
        self.head_only = request.method == "HEAD";
        Ok(Some(request))
    }

    /// Sends the head of an answer that will have a body of `length` bytes.
    pub(crate) async fn head(&mut self, answer: &Answer, length: usize) -> io::Result<()> {
        let head = self.whole_head(answer, length);
        self.send(head.as_bytes()).await
    }

    fn whole_head(&self, answer: &Answer, length: usize) -> String {
        let mut head = format!("HTTP/1.1 {} {}\r\n", answer.status, reason(answer.status));
        for (name, value) in &answer.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        // An answer that cannot have a body must not have a length either.
        if answer.status != 204 {
            head.push_str(&format!("content-length: {length}\r\n"));
        }
        if self.close {
            head.push_str("connection: close\r\n");
        }
        head.push_str("\r\n");
        head
    }

    /// Sends bytes of a body, or nothing where the client asked for the head only.
    pub(crate) async fn part(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.head_only { Ok(()) } else { self.send(bytes).await }
    }

    /// Sends the first half of the head of an answer.
    pub(crate) async fn half_a_head(&mut self, answer: &Answer) -> io::Result<()> {
        let head = self.whole_head(answer, answer.body.len());
        self.send(&head.as_bytes()[..head.len() / 2]).await
    }

    /// Waits until the client has ended the connection.
    pub(crate) async fn closed(&mut self) {
        // What it says before that is read by nobody; an error is an end as well.
        let _ = tokio::io::copy(&mut self.stream, &mut tokio::io::sink()).await;
    }

    /// Ends the connection with a reset instead of an orderly close.
    pub(crate) fn reset(self) {
        // If the option cannot be set the client sees a close instead of a reset.
        let _ = self.stream.get_ref().set_zero_linger();
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes).await?;
        self.stream.get_mut().flush().await
    }

    async fn line(&mut self, read: &mut usize) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        let room = HEAD_LIMIT.saturating_sub(*read) as u64;
        let count = (&mut self.stream).take(room).read_until(b'\n', &mut line).await?;
        if count == 0 {
            return Ok(None);
        }
        *read += count;
        if line.pop() != Some(b'\n') {
            return Err(bad("head cut or too long"));
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(Some(String::from_utf8_lossy(&line).into_owned()))
    }

    async fn body(&mut self, request: &Request) -> io::Result<Vec<u8>> {
        let chunked = request.header("transfer-encoding").is_some_and(|value| value.contains("chunked"));
        let mut body = Vec::new();
        if !chunked {
            let length =
                request.header("content-length").map_or(Ok(0), str::parse).map_err(|_| bad("length"))?;
            self.take(length, &mut body).await?;
            return Ok(body);
        }
        loop {
            let size = self.line(&mut 0).await?.ok_or_else(|| bad("cut chunk"))?;
            let digits = size.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(digits, 16).map_err(|_| bad("chunk size"))?;
            self.take(size, &mut body).await?;
            if size == 0 {
                while self.line(&mut 0).await?.is_some_and(|line| !line.is_empty()) {}
                return Ok(body);
            }
            self.line(&mut 0).await?;
        }
    }

    async fn take(&mut self, length: usize, body: &mut Vec<u8>) -> io::Result<()> {
        if body.len().saturating_add(length) > BODY_LIMIT {
            return Err(bad("body too long"));
        }
        let start = body.len();
        body.resize(start + length, 0);
        self.stream.read_exact(&mut body[start..]).await?;
        Ok(())
    }
}

/// Decodes `%XX`; what is no such sequence stays as it is.
pub(crate) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Encodes all but unreserved characters.
pub(crate) fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Decodes base64 with or without padding; `None` for other characters.
pub(crate) fn base64_decode(text: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::new();
    let (mut held, mut bits) = (0_u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = (held << 6 | u32::from(digit)) & 0xFFFF;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            decoded.push((held >> bits) as u8);
        }
    }
    Some(decoded)
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        410 => "Gone",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        _ => "Unknown",
    }
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_round_trip() {
        assert_eq!(percent_decode("a%2Fb%0Dc%zz%"), "a/b\rc%zz%");
        assert_eq!(percent_decode(&percent_encode("ä b/c?d")), "ä b/c?d");
        assert_eq!(base64_decode("YW5hQHNob3AudGVzdDp0b2s=").unwrap(), b"ana@shop.test:tok");
        assert_eq!(base64_decode("YQ").unwrap(), b"a");
        assert_eq!(base64_decode("Y Q"), None);
    }
}
