//! Bodies of the frames by which actors find each other.

use serde::{Deserialize, Serialize};

use crate::error::{RemoteError, RemoteKind};
use crate::id::ActorId;

/// What is said towards the root about which actors there are, and asked of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Find {
    /// These are up, at the sender or below it.
    Enrol(Vec<ActorId>),
    /// These have ended.
    Withdraw(Vec<Gone>),
    /// A question, with a number that the answer will have.
    Ask(u64, Question),
    /// Whoever asked this does not want to know any more.
    Forget(u64),
}

/// An actor that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Gone {
    /// Which one.
    pub(crate) actor: ActorId,
    /// How, as its parent knows it; of one that was lost with its parent nobody does.
    #[serde(default)]
    pub(crate) how: Option<RemoteKind>,
}

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Question {
    /// Which actors there are.
    All,
    /// Which actors have this name.
    Named(String),
    /// The same, once there is one.
    Awaited(String),
    /// Nothing but when this one has ended.
    Ended(ActorId),
}

/// The answer to the question of this number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Found {
    /// The number of the question.
    pub(crate) question: u64,
    /// The answer.
    pub(crate) answer: Answer,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// These, those that have been up longest first.
    Actors(Vec<ActorId>),
    /// The actor that was asked for has ended, and how, if that is known.
    Ended(Option<RemoteKind>),
    /// Why it is not answered.
    Refused(String),
}

/// Who wants a link to whom. The other end of that link comes with the frame.
///
/// Without `to` and without a link it says who the sender is: the first frame each way after
/// the hellos when a program joins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Introduce {
    /// Who wants it.
    pub(crate) from: ActorId,
    /// Whom it is for.
    pub(crate) to: Option<ActorId>,
    /// Whether the one who wants it is not of the tree, but has joined it.
    #[serde(default)]
    pub(crate) is_guest: bool,
    /// Why there will be no link: then it goes back to `from`, and there is no link with it.
    #[serde(default)]
    pub(crate) refused: Option<Box<RemoteError>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Codec;

    fn comes_back<T>(value: &T)
    where
        T: Serialize + for<'a> Deserialize<'a> + PartialEq + std::fmt::Debug,
    {
        for codec in Codec::ALL.iter().copied() {
            let mut buffer = Vec::new();
            codec.encode(value, &mut buffer).unwrap();
            assert_eq!(&codec.decode::<T>(&buffer).unwrap(), value, "{codec}");
        }
    }

    #[test]
    fn bodies_come_back_in_every_codec() {
        let (one, other) = (ActorId::new("one"), ActorId::new("other"));
        comes_back(&Find::Enrol(vec![one.clone(), other.clone()]));
        for how in [None, Some(RemoteKind::Exited(3)), Some(RemoteKind::Oom)] {
            let actor = one.clone();
            comes_back(&Find::Withdraw(vec![Gone { actor, how }]));
            comes_back(&Found {
                question: 8,
                answer: Answer::Ended(how),
            });
        }
        comes_back(&Find::Forget(u64::MAX));
        for question in [
            Question::All,
            Question::Named("one".into()),
            Question::Awaited("two".into()),
            Question::Ended(one.clone()),
        ] {
            comes_back(&Find::Ask(7, question));
        }
        for answer in [
            Answer::Actors(vec![one.clone()]),
            Answer::Refused("too many".into()),
        ] {
            comes_back(&Found {
                question: 7,
                answer,
            });
        }
        for to in [Some(other), None] {
            comes_back(&Introduce {
                from: one.clone(),
                to,
                is_guest: true,
                refused: None,
            });
        }
        let error = crate::error::Error::other("no room");
        comes_back(&Introduce {
            from: one.clone(),
            to: None,
            is_guest: false,
            refused: Some(Box::new(RemoteError::pack(&error, &one))),
        });
    }

    #[test]
    fn introduction_in_cbor_is_what_the_protocol_says() {
        let text = r#"{"from": {"name": "a"}, "to": null}"#;
        assert!(serde_json::from_str::<Introduce>(text).is_err());
        let mut buffer = Vec::new();
        let question = Find::Ask(3, Question::Named("db".into()));
        Codec::Cbor.encode(&question, &mut buffer).unwrap();
        // {"Ask": [3, {"Named": "db"}]}
        assert_eq!(buffer, b"\xa1\x63Ask\x82\x03\xa1\x65Named\x62db");
        buffer.clear();
        Codec::Cbor
            .encode(&Find::Ask(1, Question::All), &mut buffer)
            .unwrap();
        // {"Ask": [1, "All"]}
        assert_eq!(buffer, b"\xa1\x63Ask\x82\x01\x63All");
    }
}
