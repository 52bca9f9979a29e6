//! Text in a picture: how wide it is, where it is broken, and how it is written in XML.

/// `text` in lines of that font size that fit into `width`, broken between words, or inside a word
/// that is too long.
pub fn wrapped(text: &str, font: f64, width: f64) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last().map_or("", String::as_str);
        let joined = if last.is_empty() { word.to_owned() } else { format!("{last} {word}") };
        if width_of(&joined, font) <= width {
            lines.pop();
            lines.push(joined);
            continue;
        }
        if last.is_empty() {
            lines.pop();
        }
        lines.push(String::new());
        for character in word.chars() {
            let mut longer = lines.pop().unwrap_or_default();
            longer.push(character);
            if width_of(&longer, font) > width {
                longer.pop();
                lines.push(longer);
                longer = character.to_string();
            }
            lines.push(longer);
        }
    }
    lines
}

/// How wide a text is at most, in units: by classes of letters, a full square beyond ASCII.
pub fn width_of(text: &str, font: f64) -> f64 {
    let width = |character: char| match character {
        'f' | 'i' | 'j' | 'l' | 'r' | 't' | ' ' | '.' | ',' | ':' | '·' | '-' => 0.36,
        'm' | 'w' | 'A'..='Z' | '@' | '%' => 0.88,
        '\0'..='\u{7f}' => 0.56,
        _ => 1.0,
    };
    text.chars().map(width).sum::<f64>() * font
}

/// Text for between and inside tags. What XML does not allow at all becomes a replacement mark.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(' '),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            control if control.is_control() => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}
