//! Storms of faults between the driver and the server. The faults are the same whenever the seed is, the requests are not: what
//! a real server does takes its time.

use std::collections::BTreeSet;

use storagedriver_testsuites::faults::{Fault, Life, Schedule, survive, swift};
use storagedriver_testsuites::{Checked, OnServer, Outcome};

use crate::admin::Admin;
use crate::given::{open, proxied};
use crate::own_case;

const SEED: u64 = 20_240_607;
/// How many lives go on at once, each on paths of its own.
const LIVES: u64 = 6;

/// Those that any server survives, and what only Swift says.
fn faults() -> Vec<Fault> {
    let refuse = |status| Fault::Refuse { status, retry_after: None };
    Fault::survivable().into_iter().chain([refuse(498), refuse(401)]).collect()
}

#[test]
fn uploads_survive_faults() -> Checked {
    own_case("a storm of faults loses and leaves nothing", async {
        let faults_wanted = if OnServer::is_long() { 150 } else { 60 };
        let schedule = Schedule::seeded(SEED).rate(0.2).faults(faults());
        let (proxy, parameters) = proxied(schedule).await;
        let lives = (0..LIVES).map(|number| {
            let storage = open(&parameters, 4);
            Life::new(storage, SEED ^ number, &format!("/life-{number}"), parameters.chunksize)
        });
        let calm = survive(lives.collect(), &proxy, faults_wanted, || open(&parameters, 4)).await;
        swift::end_uploads(&calm).await.unwrap();

        // What is left are files and their segments.
        let admin = Admin::new(&crate::given::parameters()).await;
        let names = admin.names(&format!("{}/", parameters.prefix)).await;
        let is_record = |name: &&String| ["~", "/claims/", "/open/"].iter().any(|part| name.contains(part));
        let left: Vec<_> = names.iter().filter(is_record).collect();
        assert!(left.is_empty(), "objects of uploads are left: {left:?}");
        let mut held = BTreeSet::new();
        for name in names.iter().filter(|name| name.contains("/files/")) {
            let set = admin.head(name).await.header("x-object-meta-storagedriver-set").map(str::to_owned);
            held.extend(set.and_then(|set| set.split(' ').next().map(str::to_owned)));
        }
        let sets = names.iter().filter_map(|name| name.split_once("/segments/")?.1.rsplit_once('/'));
        let orphans: BTreeSet<_> = sets.map(|(set, _)| set).filter(|set| !held.contains(*set)).collect();
        assert!(orphans.is_empty(), "segments are left that no manifest names: {orphans:?}");
        Outcome::Pass
    })
}
