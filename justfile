# Recipes around the commands of the README. Nothing here is needed to build, test or run: `cargo` alone does that.

# Lists the recipes.
default:
    @just --list

# Lints, tests and smokes: what a push must pass.
verify:
    cargo xtask verify

# One smoke by name, such as d3, or `all`.
smoke name:
    cargo run --quiet --package lakehouse -- smoke {{name}}

# Looks whether everything on this machine is as it must be, and says what mends it.
doctor *options:
    cargo run --quiet --package lakehouse -- doctor {{options}}

# Makes ./lake-demo and shows what can be done with it.
demo *options:
    cargo run --quiet --package lakehouse -- demo {{options}}

# Compares with peers and prints ratios.
bench *options:
    python3 bench/run.py {{options}}

# Writes a pre-push hook that runs verify.
install-hooks:
    printf '#!/bin/sh\nexec cargo xtask verify\n' > "$(git rev-parse --git-path hooks)/pre-push"
    chmod +x "$(git rev-parse --git-path hooks)/pre-push"
