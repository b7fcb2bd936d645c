//! Nothing of a token stays in this process's memory once it is let go.

use std::fs::File;
use std::hint::black_box;
use std::io::Read as _;
use std::os::unix::fs::FileExt as _;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{Tab, open};

/// How long the token is, and how much of it is looked for: any whole rounds of the alphabet, so that a copy is found
/// also when something else was written over a part of it.
const TOKEN: usize = 26 * 60;
const PIECE: usize = 26 * 2;

/// The token is made letter by letter, so that looking for it does not need a copy of it.
fn letter(at: usize) -> u8 {
    b'a' + u8::try_from((at * 7) % 26).unwrap()
}

/// Looks into the memory of this process. Takes its room beforehand: memory that is let go should stay as it is.
struct Search {
    maps: String,
    bytes: Vec<u8>,
}

impl Search {
    fn new() -> Self {
        Self { maps: String::with_capacity(1 << 20), bytes: vec![0; 1 << 20] }
    }

    /// How many pieces of the token are in the memory that can be written.
    fn pieces(&mut self) -> usize {
        self.maps.clear();
        File::open("/proc/self/maps").unwrap().read_to_string(&mut self.maps).unwrap();
        let memory = File::open("/proc/self/mem").unwrap();
        let own = self.bytes.as_ptr_range();
        let own = own.start as u64..own.end as u64;
        let mut found = 0;
        for line in self.maps.lines().filter(|line| line.split(' ').nth(1).unwrap().starts_with("rw")) {
            let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
            let [mut at, end] = [start, end].map(|hex| u64::from_str_radix(hex, 16).unwrap());
            while at + PIECE as u64 <= end {
                let room = usize::try_from(end - at).unwrap().min(self.bytes.len());
                // What is gone by now holds nothing.
                let Ok(count @ 1..) = memory.read_at(&mut self.bytes[..room], at) else { break };
                let is_token = |piece: &[u8]| piece.iter().enumerate().all(|(at, byte)| *byte == letter(at));
                let pieces = self.bytes[..count].windows(PIECE).enumerate();
                found += pieces
                    .filter(|(from, piece)| !own.contains(&(at + *from as u64)) && is_token(piece))
                    .count();
                // The next round begins where a piece would have been cut in two.
                at += count.saturating_sub(PIECE - 1).max(1) as u64;
            }
        }
        wipe(&mut self.bytes);
        found
    }
}

fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    black_box(bytes);
}

#[tokio::test]
async fn a_token_is_wiped() {
    let mut search = Search::new();
    let page = open().await;
    let tab = Tab::of(&page);
    // With white space around it and an escape, as in real tokens.
    let (before, after) = ("email=&token=%0A", "%3Dend+");
    let length = before.len() + TOKEN + after.len();
    let head = tab.request("").replace("Length: 0", &format!("Length: {length}"));
    let mut request = Vec::with_capacity(head.len() + length);
    request.extend_from_slice(head.as_bytes());
    request.extend_from_slice(before.as_bytes());
    request.extend((0..TOKEN).map(letter));
    request.extend_from_slice(after.as_bytes());
    assert_eq!(search.pieces(), (TOKEN - PIECE) / 26 + 1, "one copy is seen");
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", tab.port)).await.unwrap();
    // In pieces, so that what is put together is seen too.
    for piece in request.chunks(500) {
        stream.write_all(piece).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    wipe(&mut request);
    let submitted = page.wait(std::future::pending()).await.ok().unwrap();
    assert_eq!(search.pieces(), (TOKEN - PIECE) / 26 + 1, "only the copy that was handed over");
    drop(submitted);
    assert_eq!(search.pieces(), 0);
    let finish = tokio::spawn(async move { page.finish(Ok("Done.")).await });
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 303 "), "{reply}");
    finish.await.unwrap();
    assert_eq!(search.pieces(), 0);
}
