//! "Did you mean …": the nearest known word.

use strsim::damerau_levenshtein;

/// Comparisons of one load; a file full of unknown names must not cost its square.
const COMPARISONS: usize = 200_000;

/// A word longer than this is not a slip of the finger.
const LONGEST: usize = 64;

/// Finds near words, and stops when it has looked long enough.
#[derive(Debug)]
pub(crate) struct Suggester {
    left: usize,
}

impl Default for Suggester {
    fn default() -> Self {
        Self { left: COMPARISONS }
    }
}

impl Suggester {
    /// The candidate nearest to `word`, if one is near enough to be meant.
    pub(crate) fn nearest<'a>(
        &mut self,
        word: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Option<&'a str> {
        if word.len() > LONGEST {
            return None;
        }
        let word = word.to_lowercase();
        // One slip in a short word, two in a longer one, three in a long one.
        let allowed = match word.chars().count() {
            0 | 1 => return None,
            2..=4 => 1,
            5..=8 => 2,
            _ => 3,
        };
        let mut best: Option<(usize, &str)> = None;
        for candidate in candidates {
            if self.left == 0 {
                break;
            }
            self.left -= 1;
            if candidate.len().abs_diff(word.len()) > allowed {
                continue;
            }
            let distance = damerau_levenshtein(&word, &candidate.to_lowercase());
            if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
                best = Some((distance, candidate));
            }
        }
        best.map(|(_, candidate)| candidate)
    }
}

/// The candidate nearest to `word`, if one is near enough to be meant.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    Suggester::default().nearest(word, candidates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_is_the_word_with_fewest_slips() {
        let mut suggester = Suggester::default();
        let words = ["restart", "start", "strategy"];
        assert_eq!(suggester.nearest("restrat", words), Some("restart"));
        assert_eq!(suggester.nearest("Strat", words), Some("start"));
    }

    #[test]
    fn nearest_of_something_else_is_none() {
        let mut suggester = Suggester::default();
        assert_eq!(suggester.nearest("colour", ["restart", "run"]), None);
        assert_eq!(suggester.nearest("x", ["y"]), None);
        assert_eq!(suggester.nearest("", ["a"]), None);
    }
}
