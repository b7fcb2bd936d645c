//! A place that nothing may ever talk to: it counts who does, and what they bring along.

use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A listener on a free port of 127.0.0.1.
pub struct Canary {
    port: u16,
    heard: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Canary {
    /// Begins to listen. Each connection is read to the end of its head and answered with an empty page of a list.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let hearing = heard.clone();
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let index = {
                    let mut heard = hearing.lock().unwrap_or_else(PoisonError::into_inner);
                    heard.push(String::new());
                    heard.len() - 1
                };
                let hearing = hearing.clone();
                tokio::spawn(async move {
                    let mut piece = [0; 4096];
                    while let Ok(count @ 1..) = stream.read(&mut piece).await {
                        let text = String::from_utf8_lossy(&piece[..count]).into_owned();
                        let is_whole = {
                            let mut heard = hearing.lock().unwrap_or_else(PoisonError::into_inner);
                            heard[index].push_str(&text);
                            heard[index].contains("\r\n\r\n")
                        };
                        if is_whole {
                            let body = r#"{"values":[]}"#;
                            let head = format!(
                                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                                body.len()
                            );
                            // The one who asked may be gone already.
                            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
                            return;
                        }
                    }
                });
            }
        });
        Self { port, heard, task }
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What each connection so far has said; an empty text for one that said nothing.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpStream;

    /// A canary that cannot sing would make every test that counts on its silence worthless.
    #[tokio::test]
    async fn it_sings() {
        let canary = Canary::start().await;
        assert_eq!(canary.heard(), Vec::<String>::new());
        let address = canary.url().replace("http://", "");
        let mut stream = TcpStream::connect(&address).await.expect("a connection");
        stream.write_all(b"GET /x HTTP/1.1\r\nauthorization: Bearer t\r\n\r\n").await.expect("written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.ends_with(r#"{"values":[]}"#), "{answer}");
        assert!(canary.heard()[0].contains("authorization: Bearer t"));
    }
}
