//! The frame scanner: one pass over the bytes of a Kraken book frame, v1 or v2, number text to integers.
//!
//! It reads strict JSON (RFC 8259) and never allocates for a well-formed frame. What is wrong with the levels of a
//! book other than the one asked for is no error of ours, so such errors are remembered and raised only if the
//! frame turns out to be about our symbol, which v1 tells in its last element.

#![forbid(unsafe_code)]

use std::borrow::Cow;

/// Brackets within brackets beyond this are refused: no Kraken frame comes near it.
const DEPTH_MAX: u32 = 64;
/// More decimals than any pair has; 10^18 still fits a u64.
pub const DECIMALS_MAX: u32 = 18;

/// Why a frame was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanError {
    /// Not JSON, not a book frame, or levels that make no sense.
    Frame(String),
    /// A sound book frame that holds only other symbols.
    WrongSymbol(String),
}

type Scan<T> = Result<T, ScanError>;

/// A number's text as an integer and its count of decimals: `0.0500` is 500 and 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    pub mantissa: u64,
    pub decimals: u32,
}

/// One level as the frame states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    pub is_bid: bool,
    pub price: Number,
    pub qty: Number,
}

/// One message about our book: its levels are `levels[from..to]` of the [`Staging`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    pub from: usize,
    pub to: usize,
    pub is_v2: bool,
    pub snapshot: bool,
    pub checksum: Option<u32>,
    /// ns since the epoch, 0 where the frame tells none.
    pub exchange_ts: u64,
}

/// What a frame said about our book; kept between frames so that its memory is reused.
#[derive(Debug, Default)]
pub struct Staging {
    pub levels: Vec<Level>,
    pub messages: Vec<Message>,
}

/// A pair's name with both legs in their new names: `XBT/USD` is `BTC/USD`, `XDG/EUR` is `DOGE/EUR`.
pub fn new_name(symbol: &str) -> Cow<'_, str> {
    if !symbol.split('/').any(|leg| leg == "XBT" || leg == "XDG") {
        return Cow::Borrowed(symbol);
    }
    let legs: Vec<&str> = symbol
        .split('/')
        .map(|leg| match leg {
            "XBT" => "BTC",
            "XDG" => "DOGE",
            other => other,
        })
        .collect();
    Cow::Owned(legs.join("/"))
}

/// Reads `frame` into `staging`, keeping only messages about `symbol` (a name made by [`new_name`]).
///
/// On success there is at least one message.
pub fn scan(frame: &[u8], symbol: &str, staging: &mut Staging) -> Scan<()> {
    staging.levels.clear();
    staging.messages.clear();
    let mut cursor = Cursor { bytes: frame, at: 0, depth: 0 };
    match cursor.peek() {
        Some(b'{') => v2_frame(&mut cursor, symbol, staging),
        Some(b'[') => v1_frame(&mut cursor, symbol, staging),
        _ => Err(cursor.error("neither an object nor an array")),
    }
}

// ---- v2 ------------------------------------------------------------------------------------------------------------

fn v2_frame(cursor: &mut Cursor, symbol: &str, staging: &mut Staging) -> Scan<()> {
    let (mut is_book, mut snapshot) = (None, None);
    let (mut has_data, mut others, mut wrong) = (false, None, None);
    cursor.object(|cursor, key| {
        match &*key {
            b"channel" => {
                cursor.once(is_book.is_some(), "channel")?;
                is_book = Some(cursor.peek() == Some(b'"') && &*cursor.string()? == b"book");
                if is_book == Some(false) {
                    return Err(cursor.error("not the book channel"));
                }
            }
            b"type" => {
                cursor.once(snapshot.is_some(), "type")?;
                snapshot = match &*cursor.string()? {
                    b"snapshot" => Some(true),
                    b"update" => Some(false),
                    _ => return Err(cursor.error("type is neither snapshot nor update")),
                };
            }
            b"data" => {
                cursor.once(has_data, "data")?;
                has_data = true;
                cursor.array(|cursor, _| {
                    let (theirs, fault) = v2_element(cursor, symbol, staging)?;
                    others = theirs.or(others.take());
                    wrong = wrong.take().or(fault);
                    Ok(())
                })?;
            }
            _ => cursor.skip_value()?,
        }
        Ok(())
    })?;
    cursor.end()?;
    let (Some(true), Some(snapshot), true) = (is_book, snapshot, has_data) else {
        return Err(cursor.error("channel, type or data is missing"));
    };
    for message in &mut staging.messages {
        message.snapshot = snapshot;
    }
    finish(cursor, staging, wrong, others)
}

/// Reads one element of `data`; returns the symbol if it is another's, and what is wrong with ours.
fn v2_element(
    cursor: &mut Cursor,
    symbol: &str,
    staging: &mut Staging,
) -> Scan<(Option<String>, Option<ScanError>)> {
    let from = staging.levels.len();
    let mut name: Option<Cow<[u8]>> = None;
    let (mut bids, mut asks, mut checksum, mut time) = (false, false, None, None);
    let mut wrong = None;
    cursor.object(|cursor, key| {
        let known = match &*key {
            b"symbol" if name.is_none() => {
                name = Some(cursor.string()?);
                return Ok(());
            }
            b"bids" | b"asks" => cursor.tried(&mut wrong, |cursor| {
                let is_bid = &*key == b"bids";
                let side = if is_bid { &mut bids } else { &mut asks };
                cursor.once(*side, "levels")?;
                *side = true;
                cursor.array(|cursor, _| {
                    staging.levels.push(v2_level(cursor, is_bid)?);
                    Ok(())
                })
            })?,
            b"checksum" => cursor.tried(&mut wrong, |cursor| {
                cursor.once(checksum.is_some(), "checksum")?;
                checksum = Some(cursor.checksum()?);
                Ok(())
            })?,
            b"timestamp" => cursor.tried(&mut wrong, |cursor| {
                cursor.once(time.is_some(), "timestamp")?;
                time = Some(cursor.time(rfc3339_ns)?);
                Ok(())
            })?,
            b"symbol" => cursor.tried(&mut wrong, |cursor| cursor.once(true, "symbol"))?,
            _ => false,
        };
        if known { Ok(()) } else { cursor.skip_value() }
    })?;
    let Some(name) = name else {
        return Err(cursor.error("an element of data has no symbol"));
    };
    let name = String::from_utf8_lossy(&name);
    if new_name(&name) != symbol {
        staging.levels.truncate(from);
        return Ok((Some(name.into_owned()), None));
    }
    if !bids && !asks && wrong.is_none() {
        wrong = Some(cursor.error("neither bids nor asks"));
    }
    staging.messages.push(Message {
        from,
        to: staging.levels.len(),
        is_v2: true,
        snapshot: false,
        checksum,
        exchange_ts: time.unwrap_or(0),
    });
    Ok((None, wrong))
}

fn v2_level(cursor: &mut Cursor, is_bid: bool) -> Scan<Level> {
    let (mut price, mut qty) = (None, None);
    cursor.object(|cursor, key| {
        match &*key {
            b"price" => {
                cursor.once(price.is_some(), "price")?;
                price = Some(cursor.number()?);
            }
            b"qty" => {
                cursor.once(qty.is_some(), "qty")?;
                qty = Some(cursor.number()?);
            }
            _ => cursor.skip_value()?,
        }
        Ok(())
    })?;
    match (price, qty) {
        (Some(price), Some(qty)) => cursor.level(is_bid, price, qty),
        _ => Err(cursor.error("a level without price or qty")),
    }
}

// ---- v1 ------------------------------------------------------------------------------------------------------------

/// One element of a v1 frame's array.
enum Element<'a> {
    Body(Body),
    Text(Cow<'a, [u8]>),
    Other,
}

/// An object of a v1 frame: levels of one or both sides, or the channel's name.
#[derive(Default)]
struct Body {
    from: usize,
    snapshot: bool,
    has_levels: bool,
    checksum: Option<u32>,
    exchange_ts: u64,
    is_book_name: bool,
    wrong: Option<ScanError>,
}

fn v1_frame(cursor: &mut Cursor, symbol: &str, staging: &mut Staging) -> Scan<()> {
    let mut elements = Vec::with_capacity(5);
    cursor.array(|cursor, _| {
        elements.push(match cursor.peek() {
            Some(b'{') => Element::Body(v1_body(cursor, staging)?),
            Some(b'"') => Element::Text(cursor.string()?),
            _ => {
                cursor.skip_value()?;
                Element::Other
            }
        });
        Ok(())
    })?;
    cursor.end()?;
    let [_, bodies @ .., channel, Element::Text(pair)] = &elements[..] else {
        return Err(cursor.error("a v1 frame is [id, levels, channel, pair]"));
    };
    let is_book = match channel {
        Element::Text(name) => is_book_name(name),
        Element::Body(body) => body.is_book_name,
        Element::Other => false,
    };
    if !is_book {
        return Err(cursor.error("not the book channel"));
    }
    if let Element::Body(body) = channel {
        staging.levels.truncate(body.from);
    }
    // Not from 0: the first element could be an object with levels too, which belong to nobody.
    let to = staging.levels.len();
    let mut message = Message {
        from: if let Some(Element::Body(body)) = bodies.first() { body.from } else { to },
        to,
        is_v2: false,
        snapshot: false,
        checksum: None,
        exchange_ts: 0,
    };
    let (mut has_levels, mut wrong) = (false, None);
    for body in bodies {
        let Element::Body(body) = body else {
            return Err(cursor.error("levels that are no object"));
        };
        wrong = wrong.or_else(|| body.wrong.clone());
        has_levels |= body.has_levels;
        message.snapshot |= body.snapshot;
        message.checksum = body.checksum.or(message.checksum);
        message.exchange_ts = message.exchange_ts.max(body.exchange_ts);
    }
    let pair = String::from_utf8_lossy(pair);
    if new_name(&pair) != symbol {
        return Err(ScanError::WrongSymbol(pair.into_owned()));
    }
    if !has_levels && wrong.is_none() {
        wrong = Some(cursor.error("no levels"));
    }
    staging.messages.push(message);
    finish(cursor, staging, wrong, None)
}

fn v1_body(cursor: &mut Cursor, staging: &mut Staging) -> Scan<Body> {
    let mut body = Body { from: staging.levels.len(), ..Body::default() };
    let mut seen: u8 = 0;
    let mut wrong = None;
    cursor.object(|cursor, key| {
        let bit = match &*key {
            b"as" => 1,
            b"bs" => 2,
            b"a" => 4,
            b"b" => 8,
            b"c" => 16,
            b"name" if seen & 32 == 0 => 32,
            _ => return cursor.skip_value(),
        };
        let again = seen & bit != 0;
        seen |= bit;
        let done = match bit {
            32 => {
                if cursor.peek() != Some(b'"') {
                    return cursor.skip_value();
                }
                body.is_book_name = is_book_name(&cursor.string()?);
                true
            }
            16 => cursor.tried(&mut wrong, |cursor| {
                cursor.once(again, "c")?;
                body.checksum = Some(cursor.checksum()?);
                Ok(())
            })?,
            _ => cursor.tried(&mut wrong, |cursor| {
                cursor.once(again, "levels")?;
                body.has_levels = true;
                body.snapshot |= bit < 4;
                cursor.array(|cursor, _| {
                    let (level, time) = v1_level(cursor, bit == 2 || bit == 8)?;
                    staging.levels.push(level);
                    body.exchange_ts = body.exchange_ts.max(time);
                    Ok(())
                })
            })?,
        };
        if done { Ok(()) } else { cursor.skip_value() }
    })?;
    body.wrong = wrong;
    Ok(body)
}

/// A level `[price, qty, time, "r"]` and its time; a republished level's time is old news and counts as none.
fn v1_level(cursor: &mut Cursor, is_bid: bool) -> Scan<(Level, u64)> {
    let (mut price, mut qty, mut time) = (None, None, 0);
    cursor.array(|cursor, place| {
        match place {
            0 => price = Some(cursor.number()?),
            1 => qty = Some(cursor.number()?),
            2 => time = cursor.time(unix_ns)?,
            3 if cursor.peek() == Some(b'"') => {
                if &*cursor.string()? == b"r" {
                    time = 0;
                }
            }
            _ => cursor.skip_value()?,
        }
        Ok(())
    })?;
    match (price, qty) {
        (Some(price), Some(qty)) => Ok((cursor.level(is_bid, price, qty)?, time)),
        _ => Err(cursor.error("a level without price or volume")),
    }
}

fn is_book_name(name: &[u8]) -> bool {
    name == b"book" || name.starts_with(b"book-")
}

fn finish(cursor: &Cursor, staging: &Staging, wrong: Option<ScanError>, others: Option<String>) -> Scan<()> {
    match (wrong, others) {
        (Some(wrong), _) => Err(wrong),
        (None, _) if !staging.messages.is_empty() => Ok(()),
        (None, Some(other)) => Err(ScanError::WrongSymbol(other)),
        (None, None) => Err(cursor.error("it holds no book")),
    }
}

// ---- JSON ----------------------------------------------------------------------------------------------------------

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: u32,
}

impl<'a> Cursor<'a> {
    #[cold]
    fn error(&self, what: &str) -> ScanError {
        ScanError::Frame(format!("{what}, at byte {}", self.at))
    }

    fn once(&self, seen: bool, what: &str) -> Scan<()> {
        if seen { Err(self.error(&format!("{what} twice"))) } else { Ok(()) }
    }

    /// Runs `read`; if it fails, remembers the first failure in `wrong`, goes back and says so with false.
    fn tried(
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
    fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.byte() {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    #[inline]
    fn expect(&mut self, wanted: u8) -> Scan<()> {
        if self.peek() != Some(wanted) {
            return Err(self.error(&format!("{} expected", wanted as char)));
        }
        self.at += 1;
        Ok(())
    }

    fn end(&mut self) -> Scan<()> {
        if self.peek().is_some() { Err(self.error("more after the frame's end")) } else { Ok(()) }
    }

    fn deeper(&mut self) -> Scan<()> {
        self.depth += 1;
        if self.depth > DEPTH_MAX { Err(self.error("nested too deep")) } else { Ok(()) }
    }

    /// Reads an object; `member` reads the value of each key.
    fn object(&mut self, mut member: impl FnMut(&mut Self, Cow<'a, [u8]>) -> Scan<()>) -> Scan<()> {
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
    fn array(&mut self, mut item: impl FnMut(&mut Self, usize) -> Scan<()>) -> Scan<()> {
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
        Err(self.error("a comma or a closing bracket expected"))
    }

    /// Reads a string; borrowed as it stands unless it has escapes.
    fn string(&mut self) -> Scan<Cow<'a, [u8]>> {
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
                None | Some(0..0x20) => return Err(self.error("a string that does not end")),
                Some(byte) => {
                    ascii &= byte < 0x80;
                    self.at += 1;
                }
            }
        }
        let raw = &self.bytes[from..self.at];
        if !ascii && std::str::from_utf8(raw).is_err() {
            return Err(self.error("not UTF-8"));
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
                    return Err(self.error("a broken escape"));
                };
                self.at += 5;
                if let Some(text) = text {
                    let letter = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                    text.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                }
                return Ok(());
            }
            _ => return Err(self.error("a broken escape")),
        };
        self.at += 1;
        if let Some(text) = text {
            text.push(plain);
        }
        Ok(())
    }

    /// The text of a number, checked against JSON's grammar.
    fn number_text(&mut self) -> Scan<&'a [u8]> {
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
        if self.at == from { Err(self.error("a digit expected")) } else { Ok(()) }
    }

    /// The text of a number, or of a string that should hold one.
    fn number_or_string(&mut self) -> Scan<Cow<'a, [u8]>> {
        match self.peek() {
            Some(b'"') => self.string(),
            _ => Ok(Cow::Borrowed(self.number_text()?)),
        }
    }

    /// A price or a quantity, bare (v2) or in quotes (v1).
    fn number(&mut self) -> Scan<Number> {
        let text = self.number_or_string()?;
        number(&text).ok_or_else(|| {
            self.error(&format!("{:?} is no price or quantity", String::from_utf8_lossy(&text)))
        })
    }

    fn level(&self, is_bid: bool, price: Number, qty: Number) -> Scan<Level> {
        if price.mantissa == 0 {
            return Err(self.error("a price of zero"));
        }
        Ok(Level { is_bid, price, qty })
    }

    fn checksum(&mut self) -> Scan<u32> {
        let text = self.number_or_string()?;
        let value = (1..=10).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
        let value = if value { decimal(&text) } else { None };
        value.and_then(|value| u32::try_from(value).ok()).ok_or_else(|| self.error("no checksum"))
    }

    /// A time by `read`; what is no time, or none that we know, is 0: nothing but a lag is measured with it.
    fn time(&mut self, read: fn(&[u8]) -> Option<u64>) -> Scan<u64> {
        match self.peek() {
            Some(b'"' | b'0'..=b'9') => Ok(read(&self.number_or_string()?).unwrap_or(0)),
            _ => self.skip_value().map(|()| 0),
        }
    }

    /// Checks and passes over any value.
    fn skip_value(&mut self) -> Scan<()> {
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
            return Err(self.error("an unknown word"));
        }
        self.at += word.len();
        Ok(())
    }
}

// ---- numbers and times ---------------------------------------------------------------------------------------------

fn decimal(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |value, digit| {
        value.checked_mul(10)?.checked_add(u64::from(digit.wrapping_sub(b'0')))
    })
}

/// The number that `text` writes, exactly; None if it is negative, no JSON number, or too large or too fine.
pub fn number(text: &[u8]) -> Option<Number> {
    let mut cursor = Cursor { bytes: text, at: 0, depth: 0 };
    let whole = cursor.number_text().ok()?;
    if whole.len() != text.len() || text[0] == b'-' {
        return None;
    }
    let (mut mantissa, mut fraction, mut in_fraction) = (0u64, 0i32, false);
    let mut rest = text.iter();
    let mut exponent = 0;
    while let Some(byte) = rest.next() {
        match byte {
            b'.' => in_fraction = true,
            b'e' | b'E' => {
                exponent = small_exponent(rest.as_slice())?;
                break;
            }
            digit => {
                mantissa = mantissa.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
                fraction = fraction.checked_add(i32::from(in_fraction))?;
            }
        }
    }
    let decimals = fraction.checked_sub(exponent)?;
    if let Ok(decimals) = u32::try_from(decimals) {
        return (decimals <= DECIMALS_MAX).then_some(Number { mantissa, decimals });
    }
    if mantissa != 0 {
        mantissa = mantissa.checked_mul(10u64.checked_pow(decimals.unsigned_abs())?)?;
    }
    Some(Number { mantissa, decimals: 0 })
}

fn small_exponent(text: &[u8]) -> Option<i32> {
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] | digits => (1, digits),
    };
    if digits.len() > 3 {
        return None;
    }
    Some(sign * i32::try_from(decimal(digits)?).ok()?)
}

/// ns since the epoch of `2023-07-30T15:29:58.343415Z`.
pub fn rfc3339_ns(text: &[u8]) -> Option<u64> {
    let (head, tail) = text.split_at_checked(19)?;
    let field = |from: usize, to: usize| -> Option<u64> {
        let digits = &head[from..to];
        digits.iter().all(u8::is_ascii_digit).then(|| decimal(digits))?
    };
    if [head[4], head[7], head[10], head[13], head[16]] != *b"--T::" {
        return None;
    }
    let (year, month, day) = (field(0, 4)?, field(5, 7)?, field(8, 10)?);
    let (hour, minute, second) = (field(11, 13)?, field(14, 16)?, field(17, 19)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_in_month = match month {
        2 => 28 + u64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1970..=2500).contains(&year) || day < 1 || day > days_in_month {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Days since 1970-01-01, counting years from March so that the leap day comes last.
    let (shifted, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + (months * 153 + 2) / 5 + day;
    let days = days.checked_sub(719_469)?;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second;
    let nanos = match tail {
        b"Z" => 0,
        [b'.', fraction @ .., b'Z'] => fraction_ns(fraction)?,
        _ => return None,
    };
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
}

/// ns since the epoch of `1693415327.935623`.
pub fn unix_ns(text: &[u8]) -> Option<u64> {
    let mut parts = text.splitn(2, |byte| *byte == b'.');
    let seconds = parts.next()?;
    if !(1..=10).contains(&seconds.len()) || !seconds.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let nanos = parts.next().map_or(Some(0), fraction_ns)?;
    decimal(seconds)?.checked_mul(1_000_000_000)?.checked_add(nanos)
}

fn fraction_ns(digits: &[u8]) -> Option<u64> {
    if !(1..=9).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let missing = u32::try_from(9 - digits.len()).ok()?;
    decimal(digits)?.checked_mul(10u64.pow(missing))
}
