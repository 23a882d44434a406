# run · test · check · model · bench · faults · fuzz · docs. A fresh machine (Debian, root) needs cargo, make and node.
.PHONY: run test check model bench faults fuzz docs audit tools

run:
	cargo run --release -- serve

# Everything that must hold. Installs what it needs: Debian packages, cargo tools, npm packages. Servers and examples are built as a whole
# workspace, as nextest does: by -p nearly every dependency would be built once more, with other features.
test: tools
	cargo nextest run --workspace --no-fail-fast
	cargo test --workspace --doc --quiet
	$(MAKE) model
	cd packages/guard && npm ci --no-audit --no-fund --loglevel=error && npm test
	cd packages/client && npm ci --no-audit --no-fund --loglevel=error && npm test
	/usr/bin/python3 -m venv target/guard-python
	target/guard-python/bin/pip install --quiet --disable-pip-version-check --editable 'packages/guard-python[dev]'
	cargo build --quiet --workspace --all-targets
	cd packages/guard-python && ../../target/guard-python/bin/mypy && ../../target/guard-python/bin/ruff check && \
		../../target/guard-python/bin/pytest -q
	cd tests/packages && npm ci --no-audit --no-fund --loglevel=error && node --test
	cd examples/express-api && npm ci --no-audit --no-fund --loglevel=error
	cd tests/oauth-clients && npm ci --no-audit --no-fund --loglevel=error && node --test
	/usr/bin/python3 -m venv target/interop
	target/interop/bin/pip install --quiet --disable-pip-version-check --requirement tests/interop/requirements.txt
	cargo build --quiet --locked --manifest-path tests/interop/easyssf/Cargo.toml --target-dir target/interop/easyssf
	cd tests/interop && npm ci --no-audit --no-fund --loglevel=error && node --test --test-concurrency=1
	node --test tests/support
	node --test tests/docs
	node --test tests/examples
	node --test tests/deploy
	node --test tests/faults
	cd tests/browser && npm ci --no-audit --no-fund --loglevel=error && \
		COUNTERFOIL_PICTURES=$(CURDIR)/target/pictures node --test --test-concurrency=1
	node --test --test-concurrency=1 tests/client
	cd examples/from-localstorage/before && npm ci --no-audit --no-fund --loglevel=error
	cd examples/from-localstorage/after && npm ci --no-audit --no-fund --loglevel=error
	node --test --test-concurrency=1 tests/migration
	node --test --test-concurrency=1 tests/quickstarts
	$(MAKE) fuzz SECONDS_EACH=5

# Everything that reads the code without running it.
check: tools
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
	cargo deny --log-level error check bans licenses sources

# All runs of the model checker: the largest take minutes unless optimised, so nextest leaves them out.
model: tools
	cargo nextest run --cargo-profile model -p counterfoil-core --test model --test feed_model --test key_model

bench:
	cargo build --release -p counterfoil -p counterfoil-bench
	target/release/counterfoil-bench

# Every fault, for twenty minutes; prints the table of docs/reliability.md. On real servers, so as they are shipped; the version before
# this one is built too, for the upgrade.
faults: tools
	cargo build --release -p counterfoil
	cd packages/guard && npm ci --no-audit --no-fund --loglevel=error && npm run build
	node tests/faults/run.mjs

# Each parser for so many seconds, beginning with the committed corpus: an hour in all.
SECONDS_EACH ?= 360
fuzz:
	./fuzz/run $(SECONDS_EACH)

# The generated part of docs/reference.
docs:
	cargo run --quiet -- reference docs/reference

# Needs the network: the advisory database.
audit: tools
	cargo deny check advisories

tools:
	./.ci/tools
