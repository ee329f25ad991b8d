//! The stable short name of each kind of fault.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($variant:ident $text:literal $doc:literal)*) => {
        /// The kind of a fault or warning: a short word that stays the same from release to release.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $doc] $variant,)*
        }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The code as it is written.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// What it stands for, in one line.
            #[must_use]
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }
        }
    };
}

codes! {
    Unreadable "unreadable" "A file cannot be read."
    NotUtf8 "not-utf8" "A file is not UTF-8."
    TooLarge "too-large" "A file, or what it expands to, is larger than is accepted."
    Syntax "syntax" "The file is not TOML."
    DuplicateKey "duplicate-key" "A key or table is written twice in one file."
    UnknownKey "unknown-key" "A key that the format does not have here."
    ReservedKey "reserved-key" "A key that is kept for later."
    RefusedKey "refused-key" "A key that makes no sense here."
    MissingKey "missing-key" "A key that must be there is not."
    ConflictingKeys "conflicting-keys" "Two keys that exclude each other."
    WrongType "wrong-type" "A value of the wrong TOML type."
    InvalidValue "invalid-value" "A value of the right type that is not accepted."
    OutOfRange "out-of-range" "A number, duration or size outside its range."
    MissingUnit "missing-unit" "A duration or size without a unit."
    UnbalancedQuote "unbalanced-quote" "A quote in a command that is not closed."
    NulCharacter "nul-character" "A NUL character where the system cannot take one."
    InvalidName "invalid-name" "A name that cannot be a child's."
    InvalidSubstitution "invalid-substitution" "A `${…}` that cannot be read."
    UnsetVariable "unset-variable" "A `${VAR}` whose variable is not set."
    MissingFile "missing-file" "A file the spec names does not exist."
    InvalidEnvFile "invalid-env-file" "A file of variables that cannot be read as one."
    IncludeCycle "include-cycle" "A file that includes itself."
    RootOnly "root-only" "A table that only the root file may have."
    DuplicateName "duplicate-name" "One name for two things."
    NothingToRun "nothing-to-run" "A tree without any child."
    UnknownName "unknown-name" "A name that nothing in the tree has."
    ListedTwice "listed-twice" "A child that is in two places of the tree."
    NotListed "not-listed" "A child that no supervisor has."
    SeveralRoots "several-roots" "More than one supervisor that nobody lists."
    SupervisorCycle "supervisor-cycle" "A supervisor that contains itself."
    TooDeep "too-deep" "Supervisors nested deeper than is accepted."
    DependencyCycle "dependency-cycle" "Dependencies that wait for one another."
    InvalidDependency "invalid-dependency" "A dependency that can never hold."
    SignificantPermanent "significant-permanent" "A permanent child that is significant."
    SignificantNever "significant-never" "A significant child under a supervisor that shuts down for none."
    CompletedPermanent "completed-permanent" "A permanent child that counts as started when it has completed."
    ReadyWithoutProbe "ready-without-probe" "A child that counts as started when it is ready, and has no probe."
    NotALeaf "not-a-leaf" "A supervisor or pool where a single process is needed."
    KeyOnRoot "key-on-root" "A key about being a child, on the root."
    UnknownFunction "unknown-function" "A function that the program does not have."
    UnknownArgument "unknown-argument" "An argument that a function does not take."
    MissingArgument "missing-argument" "An argument that a function needs and does not get."
    InvalidArgument "invalid-argument" "An argument of another type than a function takes."
    CannotRun "cannot-run" "A child that the program cannot run."
    UnreachableLimit "unreachable-limit" "An intensity that the backoff of the children can never reach."
    ShortShutdown "short-shutdown" "A shutdown of the tree shorter than its children's."
    IndexOutsidePool "index-outside-pool" "`{index}` in something that is not a pool."
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
