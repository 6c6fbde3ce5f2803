# Included by the Makefile of each function and layer, which `sam build` runs with ARTIFACTS_DIR set.
# sam runs it in a copy of the folder; HERE is the folder itself.
HERE := $(dir $(abspath $(firstword $(MAKEFILE_LIST))))
ROOT := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/..)
NAME := $(notdir $(patsubst %/,%,$(HERE)))

define build
	@python="$$("$(ROOT)/scripts/find-python" 3.13)" && "$$python" "$(ROOT)/scripts/build.py" $(1) $(NAME) "$(ARTIFACTS_DIR)"
endef
