//! Which files are looked at, and by how many at once. A file is in memory while it is looked at, and no longer: so many as there are
//! processors, of 1 MiB each at the most.

use super::super::progress::Progress;
use super::{Outcome, Unreadable};
use anyhow::Context as _;
use counterfoil_scan::{MAX_BYTES, Scanned, Skipped, scan as scan_source, skipped};
use ignore::WalkBuilder;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// What a file of JavaScript or TypeScript ends with.
const ENDINGS: [&str; 8] = ["js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx"];

/// Folders with what others have written, or programs.
const OTHERS: [&str; 10] = [
    "node_modules",
    "bower_components",
    "jspm_packages",
    "vendor",
    "dist",
    "build",
    "out",
    "coverage",
    ".next",
    ".nuxt",
];

/// A syntax tree is walked from within itself: what is nested as deep as is let pass must not run out of stack. Only what is used of it is
/// memory.
const STACK: usize = 256 * 1024 * 1024;

/// What came of one file.
enum Looked {
    At(Scanned),
    Left,
}

/// Looks at every file of a folder.
pub(super) fn scan(folder: &Path) -> anyhow::Result<Outcome> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let (paths, waiting) = sync_channel::<PathBuf>(64);
    let (results, arriving) = sync_channel::<(PathBuf, Looked)>(64);
    let waiting = Mutex::new(waiting);
    thread::scope(|scope| {
        for _ in 0..workers {
            let (waiting, results) = (&waiting, results.clone());
            let worker = move || work(waiting, &results);
            thread::Builder::new().stack_size(STACK).spawn_scoped(scope, worker).context("no thread can be started")?;
        }
        drop(results);
        scope.spawn(move || send_files(folder, &paths));
        Ok(gather(folder, &arriving))
    })
}

fn send_files(folder: &Path, paths: &SyncSender<PathBuf>) {
    let mut walk = WalkBuilder::new(folder);
    walk.follow_links(false).require_git(false).filter_entry(|entry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0 || !OTHERS.contains(&&*name)
    });
    for entry in walk.build().flatten() {
        let path = entry.into_path();
        if is_source(&path) && path.is_file() && paths.send(path).is_err() {
            return;
        }
    }
}

fn is_source(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let ending = name.rsplit_once('.').map(|(_, ending)| ending).unwrap_or_default();
    ENDINGS.contains(&ending)
        && ![".d.ts", ".d.mts", ".d.cts", ".min.js"].iter().any(|left_out| name.ends_with(left_out))
}

fn work(waiting: &Mutex<Receiver<PathBuf>>, results: &SyncSender<(PathBuf, Looked)>) {
    loop {
        let Ok(path) = waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv() else { return };
        let looked = look(&path);
        if results.send((path, looked)).is_err() {
            return;
        }
    }
}

fn look(path: &Path) -> Looked {
    let unreadable = |why: String| Looked::At(Scanned { findings: Vec::new(), unreadable: Some(why) });
    match path.metadata() {
        Ok(metadata) if metadata.len() > MAX_BYTES as u64 => return Looked::Left,
        Ok(_) => {}
        Err(error) => return unreadable(error.to_string()),
    }
    let source = match std::fs::read(path).map(String::from_utf8) {
        Ok(Ok(source)) => source,
        Ok(Err(_)) => return unreadable("it is not UTF-8".into()),
        Err(error) => return unreadable(error.to_string()),
    };
    let name = path.to_string_lossy();
    if let Some(Skipped::Long | Skipped::Minified | Skipped::Deep | Skipped::Test) = skipped(&name, &source) {
        return Looked::Left;
    }
    // One file that the parser stumbles over must not keep the others from being looked at.
    let scanned = std::panic::catch_unwind(|| scan_source(&name, &source));
    scanned.map_or_else(|_| unreadable("the parser has failed".into()), Looked::At)
}

fn gather(folder: &Path, arriving: &Receiver<(PathBuf, Looked)>) -> Outcome {
    let (mut outcome, mut progress) = (Outcome::default(), Progress::new("files"));
    for (path, looked) in arriving {
        let shown = path.strip_prefix(folder).ok().filter(|short| !short.as_os_str().is_empty()).unwrap_or(&path);
        let shown = shown.display().to_string();
        match looked {
            Looked::Left => outcome.skipped += 1,
            Looked::At(Scanned { unreadable: Some(why), .. }) => {
                outcome.unreadable.push(Unreadable { path: shown, why });
            }
            Looked::At(Scanned { findings, .. }) => {
                outcome.files += 1;
                if !findings.is_empty() {
                    outcome.findings.push((shown, findings));
                }
            }
        }
        progress.count(outcome.files);
    }
    progress.end();
    // They come as they are done.
    outcome.findings.sort_by(|(one, _), (other, _)| one.cmp(other));
    outcome.unreadable.sort_by(|one, other| one.path.cmp(&other.path));
    outcome
}

#[cfg(test)]
mod tests {
    use super::is_source;
    use std::path::Path;

    #[test]
    fn source_is_told_by_its_ending() {
        for name in ["a.js", "a.mjs", "a.test.ts", "a.svelte.ts", "a.tsx", "a.cts"] {
            assert!(is_source(Path::new(name)), "{name}");
        }
        for name in ["a.d.ts", "a.min.js", "a.json", "a.vue", "js", "a.js.map"] {
            assert!(!is_source(Path::new(name)), "{name}");
        }
    }
}
