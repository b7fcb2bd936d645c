//! Cuts a text that begins as JSON does into its members or elements.
//!
//! It knows strings and brackets, nothing else of JSON, so that what is wrong within a member does not
//! matter. It needs no stack, however deep the nesting. It must not know what the members mean.

/// A member's key without its quotes, and its value.
pub(super) type Member<'a> = (&'a [u8], &'a [u8]);

/// The members of the object that the text begins with, and whether the text breaks off in it.
/// `None` if the text begins with something else.
pub(super) fn object(json: &[u8]) -> Option<(Vec<Member<'_>>, bool)> {
    Scanner { json, at: 0 }.object()
}

/// The elements of the array that the text begins with, likewise; one that breaks off is left out.
pub(super) fn array(json: &[u8]) -> Option<(Vec<&[u8]>, bool)> {
    Scanner { json, at: 0 }.array()
}

struct Scanner<'a> {
    json: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    fn object(mut self) -> Option<(Vec<Member<'a>>, bool)> {
        self.open(b'{')?;
        let mut members = Vec::new();
        loop {
            match self.peek() {
                Some(b'}') => return Some((members, false)),
                Some(b',') => self.at += 1,
                Some(b'"') => {
                    let key = self.value();
                    if self.peek() != Some(b':') {
                        return Some((members, true));
                    }
                    self.at += 1;
                    let (Some(key), start) = (key, self.start()) else {
                        return Some((members, true));
                    };
                    let key = &key[1..key.len() - 1];
                    match self.value() {
                        Some(value) => members.push((key, value)),
                        // The last one breaks off; a list of values may still hold good ones.
                        None => {
                            members.push((key, &self.json[start..]));
                            return Some((members, true));
                        }
                    }
                }
                _ => return Some((members, true)),
            }
        }
    }

    fn array(mut self) -> Option<(Vec<&'a [u8]>, bool)> {
        self.open(b'[')?;
        let mut elements = Vec::new();
        loop {
            match self.peek() {
                Some(b']') => return Some((elements, false)),
                Some(b',') => self.at += 1,
                Some(_) => match self.value() {
                    Some(element) => elements.push(element),
                    None => return Some((elements, true)),
                },
                None => return Some((elements, true)),
            }
        }
    }

    /// The value that begins here; `None` if it breaks off.
    fn value(&mut self) -> Option<&'a [u8]> {
        let start = self.start();
        let mut depth = 0_usize;
        while let Some(byte) = self.json.get(self.at).copied() {
            match byte {
                b'"' => {
                    self.skip_string()?;
                    if depth == 0 {
                        return Some(&self.json[start..self.at]);
                    }
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    if depth == 0 {
                        // The end of a bare word: what encloses it ends here.
                        return (self.at > start).then(|| self.json[start..self.at].trim_ascii_end());
                    }
                    depth -= 1;
                    if depth == 0 {
                        self.at += 1;
                        return Some(&self.json[start..self.at]);
                    }
                }
                b',' if depth == 0 => {
                    return (self.at > start).then(|| self.json[start..self.at].trim_ascii_end());
                }
                _ => {}
            }
            self.at += 1;
        }
        None
    }

    fn skip_string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            match self.json.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }

    fn open(&mut self, bracket: u8) -> Option<()> {
        (self.peek() == Some(bracket)).then(|| self.at += 1)
    }

    fn peek(&mut self) -> Option<u8> {
        let start = self.start();
        self.json.get(start).copied()
    }

    /// Passes over spaces and says where the next thing begins.
    fn start(&mut self) -> usize {
        while self.json.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.at
    }
}
