//! Many clients at once, until there were enough faults.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use storagedriver::Storage;

use super::{FaultProxy, Life};

/// Lets all `lives` go on at once until the proxy has made so many faults, which together have to be survived
/// by half as many operations, or by more than 200; then ends the faults, and looks at what each of them left through `open`, a
/// driver behind the same proxy. Prints what happened.
///
/// # Panics
/// As [`Life::step`]; and if fewer operations were acknowledged, for then the faults hid everything.
pub async fn survive(
    mut lives: Vec<Life>,
    proxy: &FaultProxy,
    faults: u64,
    open: impl FnOnce() -> storagedriver::Storage,
) -> storagedriver::Storage {
    while proxy.counts().faults() < faults {
        let steps = lives.into_iter().map(|mut life| {
            tokio::spawn(async move {
                for _ in 0..10 {
                    life.step().await;
                }
                life
            })
        });
        lives = join_all(steps).await.into_iter().map(finished).collect();
    }
    let counts = proxy.counts();
    println!("{} requests, {} faults: {:?}", counts.requests, counts.faults(), counts.by_fault);
    for life in &lives {
        println!("{}", life.told());
    }
    let done: u64 = lives.iter().map(Life::acknowledged).sum();
    assert!(
        done > (faults / 2).min(200),
        "only {done} operations were acknowledged: the faults hid everything"
    );
    proxy.stop_faults();
    let calm = open();
    for life in &mut lives {
        life.look(&calm).await;
    }
    calm
}

/// How long the last of what clients asked for may take at the store.
const PATIENCE: Duration = Duration::from_secs(20);

/// Ends all uploads, however young. A request whose client has given it up may still be carried out meanwhile, and what it
/// changes cannot be ended by who listed it before: then it is looked for once more, and told of.
///
/// # Errors
/// What the storage answers.
///
/// # Panics
/// Something is listed for ever.
pub async fn end_uploads(calm: &Storage) -> storagedriver::Result<()> {
    let started = Instant::now();
    loop {
        let reaped = calm.abort_stale("/", Duration::ZERO).await?;
        let left = calm.uploads("/").await?;
        if left.is_empty() {
            return Ok(());
        }
        assert!(started.elapsed() < PATIENCE, "uploads are left: {left:?}");
        println!("{} ended, {} kept, and then there are {left:?}", reaped.aborted.len(), reaped.kept);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The life, or the panic that ended it.
fn finished(joined: Result<Life, tokio::task::JoinError>) -> Life {
    match joined {
        Ok(life) => life,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(ended) => std::panic::resume_unwind(Box::new(ended.to_string())),
        },
    }
}
