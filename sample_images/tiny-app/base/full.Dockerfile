FROM tiny-node:14-slim

COPY tools /usr
RUN echo tiny-node:14 > /etc/tiny-node

CMD ["node"]
