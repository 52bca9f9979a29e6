# The gate, as it runs before every merge.
ci:
    .ci/run

# Licences, advisories and sources of all dependencies. Needs cargo-deny and the internet.
deny:
    cargo deny check

# Needs typos-cli.
typos:
    typos src tests examples README.md ARCHITECTURE.md CHANGELOG.md

# The oldest compiler promised in Cargo.toml.
msrv:
    rustup toolchain install 1.88 --profile minimal
    cargo +1.88 check --locked --all-targets

# A flaky test is a bug: all of them, twenty times.
twenty:
    for round in $(seq 20); do cargo test --quiet || exit 1; done

# What messages cost in the machines, and in a network of this process.
bench:
    cargo bench --bench topic
    cargo run --release -- bench topic --size 100,1024,65536
