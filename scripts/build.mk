# Included by the Makefile of each function and layer, which `sam build` runs with ARTIFACTS_DIR set.
# sam runs it in a copy of the folder; HERE is the folder itself.
HERE := $(dir $(abspath $(firstword $(MAKEFILE_LIST))))
ROOT := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/..)
NAME := $(notdir $(patsubst %/,%,$(HERE)))

# The first Python 3.13 with pip: $BUILD_PYTHON, the project's own, then the machine's.
PYTHON313 := $(firstword $(foreach each,$(BUILD_PYTHON) $(ROOT)/.venv/bin/python python3.13 python3 python,\
  $(shell "$(each)" -c 'import pip, sys; sys.version_info[:2] == (3, 13) and print(sys.executable)' 2>/dev/null)))

define build
	@test -n "$(PYTHON313)" || { echo "sam build needs Python 3.13, the version of the Lambda runtime, with pip: \
	none found. Install it, or name it in BUILD_PYTHON." >&2; exit 1; }
	@"$(PYTHON313)" "$(ROOT)/scripts/build.py" $(1) $(NAME) "$(ARTIFACTS_DIR)"
endef
