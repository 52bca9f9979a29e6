//! Colours of the terminal. Whether there are any is the caller's decision (`NO_COLOR`, a pipe).

/// One of the terminal's own colours, so that the user's theme decides how it looks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Paint {
    /// Stands out.
    Bold,
    /// Stands back.
    Dim,
    /// All is well.
    Blue,
    /// Worth a look.
    Yellow,
    /// Not certain.
    Magenta,
    /// Broken.
    Red,
}

impl Paint {
    /// `text` in this colour.
    pub fn over(self, text: &str) -> String {
        let code = match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Blue => "1;34",
            Self::Yellow => "1;33",
            Self::Magenta => "1;35",
            Self::Red => "1;31",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}
