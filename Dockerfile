# cx360 and everything it runs: the same lock file, settings and entry points as on a laptop (docs/decisions/0020).
FROM python:3.11.14-slim-bookworm@sha256:65a93d69fa75478d554f4ad27c85c1e69fa184956261b4301ebaf6dbb0a3543d

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    CX360_HOME=/var/lib/cx360 HOME=/tmp

# A fixed number, so that a server's folders can be given to it. It owns what a deployment keeps, and nothing else.
RUN groupadd --gid 10001 cx360 \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin cx360 \
 && install --directory --owner 10001 --group 10001 --mode 0750 /var/lib/cx360

WORKDIR /srv/cx360
COPY requirements.lock ./
RUN pip install --require-hashes --no-deps --requirement requirements.lock

COPY pyproject.toml README.md ./
COPY contracts contracts
COPY dags dags
COPY dbt_project dbt_project
COPY expectations expectations
COPY plugins plugins
COPY sources sources
RUN pip install --no-deps --no-build-isolation --editable .

USER 10001:10001
CMD ["cx360", "--help"]
