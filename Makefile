# make demo   segment a recorded cloud with the node (CLOUD=FILE for your own bag, pcd, ply or npz; MODEL=tabletop for tables)
# make test   run the tests
# make bench  measure the speed of every stage and of comparable libraries
# make gpu    check answers, speed and training on a CUDA card (with TORCH=cu126)
# make soak   run the live node for ten minutes under test
# make docs   write pages of every class and function, from their docstrings, into build/api
# make lint · make format · make clean
# TORCH=cu126 takes CUDA builds of torch and spconv; PYTHON=python3.12 another Python; WORKERS=1 tests in one process.

VENV ?= .venv
TORCH ?= cpu
PYTHON ?= python3
WORKERS ?= 2
PY := $(VENV)/bin/python
PACKAGE := instseg3d_ros
RUN := ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST $(PY) -m instseg3d_ros
export PYTHON

.PHONY: demo test bench gpu soak docs lint format clean run-env develop-env

run-env:
	@requirements/install.sh $(VENV) run $(TORCH)

develop-env:
	@requirements/install.sh $(VENV) develop $(TORCH)

demo: run-env
	@$(PY) -m instseg3d_ros.ros.tools.demo --out demo $(if $(CLOUD),--cloud "$(CLOUD)") $(if $(MODEL),--model "$(MODEL)")

# Two processes: the tests of live nodes mostly wait and share one of them. Threads that spin while they wait for others
# would take the other process's core.
test: develop-env
	-@$(PY) -m instseg3d_ros compile_kernels > /dev/null
	OMP_WAIT_POLICY=passive $(PY) -m pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder

bench: develop-env
	$(RUN) benchmark

gpu: develop-env
	$(PY) -m instseg3d_ros gpu_check $(if $(JSON),--json $(JSON))

soak: develop-env
	SOAK_MINUTES=10 $(PY) -m pytest test/ros -k soak -s

docs: develop-env
	$(PY) -m pdoc $(subst /,.,$(patsubst %/__init__.py,%,$(wildcard $(PACKAGE)/*/__init__.py))) $(PACKAGE).labels -o build/api

lint: develop-env
	$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy

format: develop-env
	$(VENV)/bin/ruff check --fix . && $(VENV)/bin/ruff format .

clean:
	rm -rf $(VENV) demo build install log .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
