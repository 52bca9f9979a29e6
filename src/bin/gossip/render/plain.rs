//! Text from others, made harmless: one line, and nothing a terminal acts on.

/// `bytes` as one line of text. Line breaks, other control characters and marks that turn the
/// direction of writing are shown as escapes (`\n`, `\u{1b}`), bytes that are not UTF-8 as
/// `\xff`. All else, a backslash too, is shown as it is: this is for reading, not for parsing back.
pub fn one_line(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\0' => out.push_str("\\0"),
                acting if acts_on_terminal(acting) => out.extend(acting.escape_default()),
                plain => out.push(plain),
            }
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out
}

/// Whether a character moves the cursor, begins a sequence, breaks the line, hides, or turns the
/// direction of what stands after it.
fn acts_on_terminal(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn ordinary_text_of_any_script_stays_as_it_is() {
        for text in ["apple", "C:\\new", "größe 猫 🦀", ""] {
            assert_eq!(one_line(text.as_bytes()), text);
        }
    }

    #[test]
    fn what_a_terminal_would_act_on_is_shown_instead() {
        assert_eq!(one_line(b"a\nb\r\tc\0"), "a\\nb\\r\\tc\\0");
        assert_eq!(one_line(b"\x1b[2Jgone\x07"), "\\u{1b}[2Jgone\\u{7}");
        // The one-character form of the same sequence.
        assert_eq!(one_line("\u{9b}2J".as_bytes()), "\\u{9b}2J");
        assert_eq!(
            one_line("a\u{202e}b\u{2028}c\u{200b}".as_bytes()),
            "a\\u{202e}b\\u{2028}c\\u{200b}"
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_numbers() {
        assert_eq!(one_line(b"ok\xff\xfe"), "ok\\xff\\xfe");
        assert_eq!(one_line(b"\xe2\x82"), "\\xe2\\x82");
    }

    #[test]
    fn no_byte_string_yields_a_control_character() {
        for first in 0..=u8::MAX {
            for second in 0..=u8::MAX {
                assert!(!one_line(&[first, second]).contains(char::is_control));
            }
        }
    }
}
