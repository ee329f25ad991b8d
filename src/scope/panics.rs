//! A panic as an error, with its message and its place.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use crate::error::{Error, ErrorKind};

thread_local! {
    /// Where the last panic of this thread began, until somebody takes it.
    static LOCATION: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Makes panics remember their place, once per process. The hook that was there before
/// still runs, so the usual message still appears.
pub(crate) fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let former = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let location = info.location().map(ToString::to_string);
            LOCATION.set(location);
            former(info);
        }));
    });
}

/// Runs `f`; a panic of it comes out as an error.
pub(crate) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Error> {
    // A panic that went by before must not lend its place to one without any.
    LOCATION.take();
    // What the future borrowed may be left half changed, as with any error on the way;
    // the future itself is dropped and never polled again.
    panic::catch_unwind(AssertUnwindSafe(f)).map_err(|payload| to_error(&*payload))
}

fn to_error(payload: &(dyn Any + Send)) -> Error {
    let message = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a value that is no text");
    match LOCATION.take() {
        Some(location) => {
            let text = format!("panicked at {location}: {message}");
            Error::new(ErrorKind::Panic, text).made_at(location)
        }
        None => Error::new(ErrorKind::Panic, format!("panicked: {message}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panic_comes_out_with_message_and_place() {
        install_hook();
        let (error, line) = (catch(|| panic!("boom {}", 7)).unwrap_err(), line!());
        assert!(error.is_panic());
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("panicked at {}:{line}:", file!())),
            "{text}"
        );
        assert!(text.ends_with(": boom 7"), "{text}");
    }

    #[test]
    fn resumed_panic_does_not_borrow_the_place_of_an_earlier_one() {
        install_hook();
        let earlier = panic::catch_unwind(|| panic!("earlier")).unwrap_err();
        let error = catch(|| panic::resume_unwind(earlier)).unwrap_err();
        assert_eq!(error.to_string(), "panicked: earlier");
    }
}
