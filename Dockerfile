# What a worker runs in a container or a pod: the package with everything locked, and no worker.
#   docker build -t fma-genre .                        # 3 GB: TensorFlow
#   docker build -t fma-genre:gpu --build-arg EXTRA=gpu .   # with CUDA's libraries
FROM python:3.11-slim-bookworm

ARG EXTRA=""
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    UV_NO_CACHE=1 \
    UV_SYSTEM_PYTHON=1

WORKDIR /opt/fma-genre
COPY requirements.lock requirements-uv.lock ./
RUN python -m pip install --no-cache-dir --require-hashes -r requirements-uv.lock \
    && uv pip install --require-hashes -r requirements.lock

COPY pyproject.toml README.md LICENSE prefect.yaml automations.yaml ./
COPY genre_model genre_model
COPY storage storage
COPY tasks tasks
COPY flows flows
# The extra is TensorFlow at the locked version with NVIDIA's libraries, which the lock leaves out.
RUN uv pip install --no-deps --no-build-isolation . \
    && if [ -n "$EXTRA" ]; then uv pip install --no-build-isolation ".[$EXTRA]"; fi

RUN useradd --create-home --uid 1000 genre
USER 1000
WORKDIR /home/genre
# Prefect's docker and kubernetes workers put the command of a flow run in its place.
CMD ["genre", "--help"]
