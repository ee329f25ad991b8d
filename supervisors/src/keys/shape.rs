//! What a row of the table of keys says.

/// A table of the format: the place in which a key may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// The top of a file.
    File,
    /// `[tree]`
    Tree,
    /// `[defaults]`, which holds one table for each kind of child.
    Defaults,
    /// `[supervisor.NAME]`
    Supervisor,
    /// `[process.NAME]`
    Process,
    /// `[actor.NAME]`
    Actor,
    /// `[pool.NAME]`
    Pool,
    /// The table `ready` of a child.
    Ready,
    /// The table `live` of a child.
    Live,
    /// The table `shutdown` of a child.
    Shutdown,
    /// The table `backoff` of a child.
    Backoff,
    /// The table `success` of a child.
    Success,
    /// The table `limits` of a child.
    Limits,
    /// The table `log` of a child.
    Log,
    /// The table that is the value of a variable in `env`: a secret.
    Secret,
}

impl Section {
    /// Every section, in the order in which the documentation shows them.
    pub const ALL: &'static [Self] = &[
        Self::File,
        Self::Tree,
        Self::Defaults,
        Self::Supervisor,
        Self::Process,
        Self::Actor,
        Self::Pool,
        Self::Ready,
        Self::Live,
        Self::Shutdown,
        Self::Backoff,
        Self::Success,
        Self::Limits,
        Self::Log,
        Self::Secret,
    ];

    /// How the section is written: `[process.NAME]`, `ready`.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::File => "the top of the file",
            Self::Tree => "[tree]",
            Self::Defaults => "[defaults]",
            Self::Supervisor => "[supervisor.NAME]",
            Self::Process => "[process.NAME]",
            Self::Actor => "[actor.NAME]",
            Self::Pool => "[pool.NAME]",
            other => other.key(),
        }
    }

    /// The key whose table this is: `process`, `ready`; empty for the top of the file.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::File => "",
            Self::Tree => "tree",
            Self::Defaults => "defaults",
            Self::Supervisor => "supervisor",
            Self::Process => "process",
            Self::Actor => "actor",
            Self::Pool => "pool",
            Self::Ready => "ready",
            Self::Live => "live",
            Self::Shutdown => "shutdown",
            Self::Backoff => "backoff",
            Self::Success => "success",
            Self::Limits => "limits",
            Self::Log => "log",
            Self::Secret => "env",
        }
    }
}

/// One row: a key and all that is said of it.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// The sections it may stand in.
    pub on: &'static [Section],
    /// What it takes.
    pub shape: Shape,
    /// Its default as it would be written, or words where there is none to write; empty when the
    /// key is required or simply absent.
    pub default: &'static str,
    /// What it means, in one line.
    pub doc: &'static str,
    /// Whether `[defaults.KIND]` may hold it; at the top of a file, whether a file that is
    /// included may.
    pub shared: bool,
}

/// What a value may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Any string.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number in this range, both ends included.
    Integer {
        /// The smallest.
        min: i64,
        /// The largest.
        max: i64,
    },
    /// A number in this range, both ends included.
    Number {
        /// The smallest.
        min: f64,
        /// The largest.
        max: f64,
    },
    /// A string with units, such as `"1m30s"`.
    Duration,
    /// A string with a unit, such as `"64MiB"`.
    Size,
    /// A string of octal digits, such as `"027"`.
    Octal,
    /// A path; a relative one is relative to the file it stands in.
    Path,
    /// The name of a signal, with or without `SIG`.
    Signal,
    /// The name of a child.
    Name,
    /// `"host:port"`.
    Address,
    /// `"http://host[:port]/path"`.
    Url,
    /// Exactly this boolean.
    Exactly(bool),
    /// A program and its arguments: an array, or a string that is split into words.
    Command,
    /// One of these words.
    Words(&'static [Word]),
    /// An array.
    List(&'static Shape),
    /// A table with names the user chose.
    Map(&'static Shape),
    /// A table with keys of its own.
    Table(Section),
    /// Any of these.
    Either(&'static [Shape]),
    /// Anything TOML can say but a date.
    Any,
}

/// A word that is a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// The word itself, which is how it is written out.
    pub name: &'static str,
    /// Other words for the same.
    pub aliases: &'static [&'static str],
    /// What it means.
    pub doc: &'static str,
}

/// A key that is refused in some section though it looks as if it could stand there.
#[derive(Clone, Copy, Debug)]
pub struct Refused {
    /// Its name.
    pub name: &'static str,
    /// Where it is refused.
    pub on: Section,
    /// Why.
    pub reason: &'static str,
    /// What to do instead.
    pub hint: &'static str,
}
