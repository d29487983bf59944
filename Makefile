# The commands that stay fixed. Each script says what it does; see README.md.
.PHONY: run test test-crash bench build format check-headers check-abi check-author-kit simulators clean

run: ; @scripts/run
test: ; @scripts/test
test-crash: ; @scripts/test-crash $(ARGS)
bench: ; @scripts/bench
build: ; @bash -c 'source scripts/lib.sh; need_swift; install_missing "$${BUILD_PACKAGES[@]}"; build release'
format: ; @git ls-files -co --exclude-standard '*.swift' | xargs swift format --in-place --parallel --configuration .swift-format
check-headers: ; @scripts/check-headers
check-abi: ; @scripts/check-abi
check-author-kit: ; @scripts/check-author-kit
simulators: ; @scripts/simulators $(ARGS)
clean: ; rm -rf .build
