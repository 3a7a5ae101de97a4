//! Strict JSON (RFC 8259) read in one pass, value by value, without building anything.

#![forbid(unsafe_code)]

use std::borrow::Cow;

use crate::errors::{Flaw, ScanError};

/// Brackets within brackets beyond this are refused: no Kraken frame comes near it.
const DEPTH_MAX: u32 = 64;

pub type Scan<T> = Result<T, ScanError>;

pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: u32,
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, depth: 0 }
    }

    #[cold]
    pub fn error(&self, flaw: Flaw) -> ScanError {
        ScanError::Flawed { flaw, at: self.at }
    }

    /// Refuses a member that has been seen before.
    pub fn once(&self, seen: bool, member: &'static str) -> Scan<()> {
        if seen { Err(self.error(Flaw::Twice(member))) } else { Ok(()) }
    }

    /// Runs `read`; if it fails, remembers the first failure in `wrong`, goes back and says so with false.
    pub fn tried(
        &mut self,
        wrong: &mut Option<ScanError>,
        read: impl FnOnce(&mut Self) -> Scan<()>,
    ) -> Scan<bool> {
        let (at, depth) = (self.at, self.depth);
        let Err(error) = read(self) else {
            return Ok(true);
        };
        (self.at, self.depth) = (at, depth);
        wrong.get_or_insert(error);
        Ok(false)
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The next byte that is not white space.
    #[inline]
    pub fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.byte() {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    #[inline]
    pub fn expect(&mut self, wanted: u8) -> Scan<()> {
        if self.peek() != Some(wanted) {
            return Err(self.error(Flaw::Expected(wanted.into())));
        }
        self.at += 1;
        Ok(())
    }

    pub fn end(&mut self) -> Scan<()> {
        if self.peek().is_some() { Err(self.error(Flaw::TrailingBytes)) } else { Ok(()) }
    }

    fn deeper(&mut self) -> Scan<()> {
        self.depth += 1;
        if self.depth > DEPTH_MAX { Err(self.error(Flaw::TooDeep)) } else { Ok(()) }
    }

    /// Reads an object; `member` reads the value of each key.
    pub fn object(&mut self, mut member: impl FnMut(&mut Self, Cow<'a, [u8]>) -> Scan<()>) -> Scan<()> {
        self.expect(b'{')?;
        self.deeper()?;
        if self.peek() == Some(b'}') {
            self.at += 1;
        } else {
            loop {
                let key = self.string()?;
                self.expect(b':')?;
                member(self, key)?;
                if self.more(b'}')? {
                    break;
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads an array; `item` reads each element, given its place.
    pub fn array(&mut self, mut item: impl FnMut(&mut Self, usize) -> Scan<()>) -> Scan<()> {
        self.expect(b'[')?;
        self.deeper()?;
        if self.peek() == Some(b']') {
            self.at += 1;
        } else {
            for place in 0.. {
                item(self, place)?;
                if self.more(b']')? {
                    break;
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// After an element: true at the closing bracket, false after a comma.
    #[inline]
    fn more(&mut self, close: u8) -> Scan<bool> {
        let next = self.peek();
        if next == Some(close) || next == Some(b',') {
            self.at += 1;
            return Ok(next == Some(close));
        }
        Err(self.error(Flaw::CommaExpected))
    }

    /// Reads a string; borrowed as it stands unless it has escapes.
    pub fn string(&mut self) -> Scan<Cow<'a, [u8]>> {
        self.expect(b'"')?;
        let from = self.at;
        let (mut escaped, mut ascii) = (false, true);
        loop {
            match self.byte() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.at += 1;
                    self.escape(&mut None)?;
                }
                None | Some(0..0x20) => return Err(self.error(Flaw::UnendedString)),
                Some(byte) => {
                    ascii &= byte < 0x80;
                    self.at += 1;
                }
            }
        }
        let raw = &self.bytes[from..self.at];
        if !ascii && std::str::from_utf8(raw).is_err() {
            return Err(self.error(Flaw::NotUtf8));
        }
        if escaped {
            self.at = from;
            let text = self.unescaped()?;
            self.at += 1;
            return Ok(Cow::Owned(text));
        }
        self.at += 1;
        Ok(Cow::Borrowed(raw))
    }

    /// The text from here to the closing quote with its escapes resolved; the way was checked before.
    #[cold]
    fn unescaped(&mut self) -> Scan<Vec<u8>> {
        let mut text = Some(Vec::new());
        while let Some(byte) = self.byte().filter(|byte| *byte != b'"') {
            self.at += 1;
            if byte == b'\\' {
                self.escape(&mut text)?;
            } else if let Some(text) = &mut text {
                text.push(byte);
            }
        }
        Ok(text.unwrap_or_default())
    }

    /// Reads what follows a backslash; a lone surrogate becomes U+FFFD, which no name we look for has.
    #[cold]
    fn escape(&mut self, text: &mut Option<Vec<u8>>) -> Scan<()> {
        let plain = match self.byte() {
            Some(byte @ (b'"' | b'\\' | b'/')) => byte,
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => {
                let hex = self.bytes.get(self.at + 1..self.at + 5);
                let code = hex
                    .filter(|hex| hex.iter().all(u8::is_ascii_hexdigit))
                    .and_then(|hex| std::str::from_utf8(hex).ok())
                    .and_then(|hex| u32::from_str_radix(hex, 16).ok());
                let Some(code) = code else {
                    return Err(self.error(Flaw::BrokenEscape));
                };
                self.at += 5;
                if let Some(text) = text {
                    let letter = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                    text.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                }
                return Ok(());
            }
            _ => return Err(self.error(Flaw::BrokenEscape)),
        };
        self.at += 1;
        if let Some(text) = text {
            text.push(plain);
        }
        Ok(())
    }

    /// The text of a number, checked against JSON's grammar.
    pub fn number_text(&mut self) -> Scan<&'a [u8]> {
        self.peek();
        let from = self.at;
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        if self.byte() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(&self.bytes[from..self.at])
    }

    fn digits(&mut self) -> Scan<()> {
        let from = self.at;
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == from { Err(self.error(Flaw::DigitExpected)) } else { Ok(()) }
    }

    /// The text of a number, or of a string that should hold one.
    pub fn number_or_string(&mut self) -> Scan<Cow<'a, [u8]>> {
        match self.peek() {
            Some(b'"') => self.string(),
            _ => Ok(Cow::Borrowed(self.number_text()?)),
        }
    }

    /// Checks and passes over any value.
    pub fn skip_value(&mut self) -> Scan<()> {
        match self.peek() {
            Some(b'{') => self.object(|cursor, _| cursor.skip_value()),
            Some(b'[') => self.array(|cursor, _| cursor.skip_value()),
            Some(b'"') => self.string().map(|_| ()),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => self.number_text().map(|_| ()),
        }
    }

    fn word(&mut self, word: &[u8]) -> Scan<()> {
        if !self.bytes[self.at..].starts_with(word) {
            return Err(self.error(Flaw::UnknownWord));
        }
        self.at += word.len();
        Ok(())
    }
}
