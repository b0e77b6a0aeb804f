# syntax=docker/dockerfile:1

# What is needed to build stays in this stage; all that is downloaded has its hash in a lock.
FROM python:3.13-slim AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore

WORKDIR /src

# Without pip of its own, because the running gateway installs nothing. pip compiles what it installs.
RUN python -m venv --without-pip /opt/gateway
COPY requirements.lock ./
RUN pip --python /opt/gateway/bin/python install --require-hashes --requirement requirements.lock

COPY requirements-build.lock ./
RUN pip install --require-hashes --requirement requirements-build.lock
COPY . .
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /tmp/wheel . \
    && pip --python /opt/gateway/bin/python install --no-deps /tmp/wheel/*.whl


FROM python:3.13-slim

LABEL org.opencontainers.image.title="payments-gateway" \
      org.opencontainers.image.description="A GraphQL payments gateway in front of Stripe"

RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin gateway

COPY --from=build /opt/gateway /opt/gateway

# The root file system may be read-only: nothing is written.
ENV PATH=/opt/gateway/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOST=0.0.0.0 PORT=8000

WORKDIR /opt/gateway
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM

HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=3)"]

ENTRYPOINT ["payments-gateway"]
CMD ["serve"]
