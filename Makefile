# run · test · check · model · bench · faults · fuzz · docs. A fresh machine (Debian, root) needs cargo, make and node.
.PHONY: run test libraries pages beside-them check model bench faults fuzz docs audit tools

run:
	cargo run --release -- serve

# Everything that must hold. Installs what it needs: Debian packages, cargo tools, npm packages. Servers and examples are built as a whole
# workspace, as nextest does: by -p nearly every dependency would be built once more, with other features.
test: tools
	cargo nextest run --workspace --no-fail-fast
	cargo test --workspace --doc --quiet
	cargo build --quiet --workspace --all-targets
	$(MAKE) libraries
	$(MAKE) -j2 --output-sync=line pages beside-them
	node --test tests/faults
	$(MAKE) fuzz SECONDS_EACH=5

# The libraries of the other languages, and what the suites below need of npm and PyPI.
libraries:
	cd packages/guard && $(NPM_CI) && npm test
	cd packages/client && $(NPM_CI) && npm test
	/usr/bin/python3 -m venv target/guard-python
	target/guard-python/bin/pip install --quiet --disable-pip-version-check --editable 'packages/guard-python[dev]'
	cd packages/guard-python && ../../target/guard-python/bin/mypy && ../../target/guard-python/bin/ruff check && \
		../../target/guard-python/bin/pytest -q
	cd tests/browser && $(NPM_CI)

# Two halves that mostly wait, each for something else: side by side they take little longer than one.
pages:
	cd tests/browser && COUNTERFOIL_PICTURES=$(CURDIR)/target/pictures node --test --test-concurrency=1
	cd examples/from-localstorage/before && $(NPM_CI)
	cd examples/from-localstorage/after && $(NPM_CI)
	node --test --test-concurrency=1 tests/migration

beside-them:
	node --test --test-concurrency=1 tests/client
	cd tests/packages && $(NPM_CI) && node --test
	cd examples/express-api && $(NPM_CI)
	cd tests/oauth-clients && $(NPM_CI) && node --test
	/usr/bin/python3 -m venv target/interop
	target/interop/bin/pip install --quiet --disable-pip-version-check --requirement tests/interop/requirements.txt
	cargo build --quiet --locked --manifest-path tests/interop/easyssf/Cargo.toml --target-dir target/interop/easyssf
	cd tests/interop && $(NPM_CI) && node --test --test-concurrency=1
	node --test tests/support
	node --test tests/docs
	node --test tests/examples
	node --test tests/deploy
	node --test --test-concurrency=1 tests/quickstarts

NPM_CI := npm ci --no-audit --no-fund --loglevel=error

# Everything that reads the code without running it.
check: tools
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
	cargo deny --log-level error check bans licenses sources

# All runs of the model checker, which `test` has among the others.
model: tools
	cargo nextest run --workspace -E 'binary(model) | binary(feed_model) | binary(key_model)'

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
