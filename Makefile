# One command each; `make` runs in the environment of .venv.
BIN = .venv/bin

.PHONY: test torture releases check bench docs release
test:          ## the suite, both databases
	$(BIN)/pytest
torture:       ## the long tests: kill -9 storms, big fuzzing, all of what the suite samples
	CONTACTCTL_TEST_THOROUGH=1 $(BIN)/pytest -m "torture or sampled" -n 2
releases:      ## installed with pip, pipx and uv; on the lowest and the newest dependencies that it allows
	$(BIN)/pytest -m releases -n 0
check:         ## what CI checks besides the tests
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports
bench:         ## figures, each beside hand-written SQL of the same run
	$(BIN)/python benchmarks/run.py
docs:          ## tables, command reference, man page, --help snapshots and pictures, from the program itself
	UPDATE_SNAPSHOTS=1 $(BIN)/pytest -q -n 0 tests/store/test_tables.py tests/cli/test_help.py tests/docs
	$(BIN)/python docs/make_pictures.py
release:       ## check version, changelog and tag, then build sdist and wheel into dist/
	$(BIN)/python release.py
