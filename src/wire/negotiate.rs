//! What two ends of a link agree upon.

use super::{Codec, Hello};

/// The shortest frame limit an end may ask for: a hello and any control frame fit.
const MIN_FRAME: u32 = 1024;

/// What two ends of a link have agreed upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Agreed {
    /// The version of the protocol.
    pub(crate) version: u16,
    /// How bodies are encoded.
    pub(crate) codec: Codec,
    /// The longest body of one frame.
    pub(crate) max_frame: u32,
    /// The longest body of one message.
    pub(crate) max_message: usize,
}

/// Why two ends of a link cannot work together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HandshakeError {
    /// No version is spoken by both.
    #[error(
        "the peer `{agent}` speaks protocol versions {theirs_lowest} to {theirs_highest}, this side {ours_lowest} to {ours_highest}"
    )]
    Version {
        /// Who the peer is.
        agent: String,
        /// The lowest it speaks.
        theirs_lowest: u16,
        /// The highest it speaks.
        theirs_highest: u16,
        /// The lowest we speak.
        ours_lowest: u16,
        /// The highest we speak.
        ours_highest: u16,
    },
    /// No codec is there at both.
    #[error("the peer `{agent}` has none of this side's codecs, only: {theirs}")]
    Codec {
        /// Who the peer is.
        agent: String,
        /// What it has.
        theirs: String,
    },
    /// The peer takes no frame that is worth sending.
    #[error("the peer `{agent}` takes frames of up to {max_frame} bytes, which is too short")]
    FrameLimit {
        /// Who the peer is.
        agent: String,
        /// What it takes.
        max_frame: u32,
    },
}

/// What the ends agree upon. Both get the same from the two hellos, whichever calls itself
/// us: of the codecs both have, the one whose places in the two lists add up to the
/// least, and of several such the one whose id comes first.
///
/// # Errors
///
/// If there is no common version or codec, or one takes no frames to speak of.
pub(crate) fn negotiate(ours: &Hello, theirs: &Hello) -> Result<Agreed, HandshakeError> {
    let version = ours.highest_version.min(theirs.highest_version);
    if version < ours.lowest_version.max(theirs.lowest_version) {
        return Err(HandshakeError::Version {
            agent: theirs.agent.clone(),
            theirs_lowest: theirs.lowest_version,
            theirs_highest: theirs.highest_version,
            ours_lowest: ours.lowest_version,
            ours_highest: ours.highest_version,
        });
    }
    let codec = common_codec(ours, theirs).ok_or_else(|| HandshakeError::Codec {
        agent: theirs.agent.clone(),
        theirs: theirs.codecs.join(", "),
    })?;
    let max_frame = ours.max_frame.min(theirs.max_frame);
    if max_frame < MIN_FRAME {
        return Err(HandshakeError::FrameLimit {
            agent: theirs.agent.clone(),
            max_frame,
        });
    }
    let max_message = ours.max_message.min(theirs.max_message);
    Ok(Agreed {
        version,
        codec,
        max_frame,
        max_message: usize::try_from(max_message).unwrap_or(usize::MAX),
    })
}

fn common_codec(ours: &Hello, theirs: &Hello) -> Option<Codec> {
    let place = |hello: &Hello, id: &str| hello.codecs.iter().position(|listed| listed == id);
    Codec::ALL
        .iter()
        .filter_map(|codec| {
            let id = codec.id();
            Some((place(ours, id)? + place(theirs, id)?, id, *codec))
        })
        .min_by_key(|(places, id, _)| (*places, *id))
        .map(|(_, _, codec)| codec)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Limits, VERSION};

    fn hello() -> Hello {
        Hello::new("program", &Limits::default())
    }

    #[test]
    fn equal_hellos_agree_upon_what_they_say() {
        let limits = Limits::default();
        let expected = Agreed {
            version: VERSION,
            codec: Codec::ALL[0],
            max_frame: limits.max_frame,
            max_message: limits.max_message,
        };
        assert_eq!(negotiate(&hello(), &hello()), Ok(expected));
    }

    #[test]
    fn version_is_the_highest_that_both_speak() {
        // Ours and theirs, each from lowest to highest, and what comes of it.
        let cases = [
            ((1, 1), (1, 1), Some(1)),
            ((1, 3), (1, 2), Some(2)),
            ((1, 2), (2, 5), Some(2)),
            ((2, 5), (1, 9), Some(5)),
            ((1, 1), (2, 3), None),
            ((4, 6), (2, 3), None),
            // Nonsense agrees with nothing.
            ((1, 3), (3, 1), None),
        ];
        for (ours, theirs, expected) in cases {
            let with = |(lowest_version, highest_version)| Hello {
                lowest_version,
                highest_version,
                ..hello()
            };
            for (one, other) in [(ours, theirs), (theirs, ours)] {
                let version = negotiate(&with(one), &with(other)).map(|agreed| agreed.version);
                assert_eq!(version.ok(), expected, "{ours:?} and {theirs:?}");
            }
        }
    }

    fn with_codecs(ids: &[&str]) -> Hello {
        Hello {
            codecs: ids.iter().map(|id| (*id).to_owned()).collect(),
            ..hello()
        }
    }

    #[test]
    fn codec_that_only_one_side_has_is_passed_over() {
        let theirs = with_codecs(&["morse", "semaphore", "cbor"]);
        let agreed = negotiate(&with_codecs(&["cbor"]), &theirs).unwrap();
        assert_eq!(agreed.codec, Codec::Cbor);
    }

    #[test]
    fn sides_without_a_common_codec_are_told_what_the_other_has() {
        let theirs = with_codecs(&["morse", "semaphore"]);
        let refused = negotiate(&hello(), &theirs).unwrap_err();
        assert!(refused.to_string().contains("morse, semaphore"));
        assert!(matches!(
            negotiate(&hello(), &with_codecs(&[])),
            Err(HandshakeError::Codec { .. })
        ));
    }

    #[test]
    fn limits_are_the_lower_ones_of_both() {
        let theirs = Hello {
            max_frame: 5000,
            max_message: u64::MAX,
            ..hello()
        };
        let agreed = negotiate(&hello(), &theirs).unwrap();
        assert_eq!(agreed, negotiate(&theirs, &hello()).unwrap());
        assert_eq!(agreed.max_frame, 5000);
        assert_eq!(agreed.max_message, Limits::default().max_message);
    }

    #[test]
    fn peer_that_takes_no_frames_to_speak_of_is_refused() {
        for max_frame in [0, MIN_FRAME - 1] {
            let theirs = Hello {
                max_frame,
                ..hello()
            };
            let refused = negotiate(&hello(), &theirs).unwrap_err();
            assert!(matches!(refused, HandshakeError::FrameLimit { .. }));
        }
    }

    #[test]
    fn hello_with_a_field_that_is_not_known_is_read() {
        #[derive(serde::Serialize)]
        struct Later {
            #[serde(flatten)]
            hello: Hello,
            colour: &'static str,
        }
        let later = Later {
            hello: hello(),
            colour: "green",
        };
        let mut bytes = Vec::new();
        Codec::Cbor.encode(&later, &mut bytes).unwrap();
        assert_eq!(Codec::Cbor.decode::<Hello>(&bytes).unwrap(), hello());
    }
}
