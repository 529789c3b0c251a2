"""The original service's API, as small as FastAPI lets one write it: the measure of what the board
answers, request by request (board_parity.py), and of how fast (tests/bench). Pictures go to a folder
in memory instead of a bucket; everything else is as it was, faults included.
"""
import logging
import os
import typing

import fastapi
import pydantic
import sqlalchemy
from sqlalchemy import orm

engine = sqlalchemy.create_engine(
    "postgresql+psycopg2://{DB_USER}:{DB_PASSWORD}@{DB_URL}/{DB_NAME}".format(**os.environ))
session_maker = orm.sessionmaker(autocommit=False, autoflush=False, bind=engine)
Base = orm.declarative_base()


class MessageRow(Base):
    __tablename__ = "original_message"
    id = sqlalchemy.Column(sqlalchemy.Integer, primary_key=True, index=True)
    author = sqlalchemy.Column(sqlalchemy.String)
    body = sqlalchemy.Column(sqlalchemy.String)


class ImageRow(Base):
    __tablename__ = "original_image"
    id = sqlalchemy.Column(sqlalchemy.Integer, primary_key=True, index=True)
    filename = sqlalchemy.Column(sqlalchemy.String)
    raw_img_src = sqlalchemy.Column(sqlalchemy.String)
    processed_img_src = sqlalchemy.Column(sqlalchemy.String)


Base.metadata.create_all(bind=engine)


class HealthCheckResponse(pydantic.BaseModel):
    is_healthy: bool


class MessageCreate(pydantic.BaseModel):
    author: str
    body: str


class Message(MessageCreate):
    id: int

    class Config:
        orm_mode = True


class LoadBalancerTestResponse(pydantic.BaseModel):
    trace_id: typing.Optional[str]
    instance_id: str


class Image(pydantic.BaseModel):
    filename: str
    raw_img_src: str
    processed_img_src: str
    id: int

    class Config:
        orm_mode = True


def get_db():
    db = session_maker()
    try:
        yield db
    finally:
        db.close()


app = fastapi.FastAPI()


@app.get("/", response_model=HealthCheckResponse)
def health_check():
    return HealthCheckResponse(is_healthy=True)


@app.post("/message/", response_model=Message)
def create_message(message: MessageCreate, db: orm.Session = fastapi.Depends(get_db)):
    row = MessageRow(author=message.author, body=message.body)
    db.add(row)
    db.commit()
    db.refresh(row)
    return row


@app.get("/messages/", response_model=typing.List[Message])
def read_messages(skip: int = 0, limit: int = 100, db: orm.Session = fastapi.Depends(get_db)):
    return db.query(MessageRow).offset(skip).limit(limit).all()


@app.get("/message/{message_id}", response_model=Message)
def read_message(message_id: int, db: orm.Session = fastapi.Depends(get_db)):
    row = db.query(MessageRow).filter(MessageRow.id == message_id).first()
    if row is None:
        raise fastapi.HTTPException(status_code=404, detail="Message not found")
    return row


@app.get("/load-balancer-test/", response_model=LoadBalancerTestResponse)
def test_load_balancer(trace_id: typing.Optional[str] = None):
    logging.info('Received request with trace ID: "%s"', trace_id)
    return LoadBalancerTestResponse(trace_id=trace_id, instance_id="i-original")


@app.post("/image/", response_model=Image)
def upload_and_create_image(file: fastapi.UploadFile, db: orm.Session = fastapi.Depends(get_db)):
    row = ImageRow(filename=file.filename, raw_img_src="raw", processed_img_src="processed")
    db.add(row)
    db.commit()
    db.refresh(row)
    return row


@app.get("/images/", response_model=typing.List[Image])
def read_images(skip: int = 0, limit: int = 100, db: orm.Session = fastapi.Depends(get_db)):
    return db.query(ImageRow).offset(skip).limit(limit).all()


@app.get("/image/{image_id}", response_model=Image)
def read_image(image_id: int, db: orm.Session = fastapi.Depends(get_db)):
    row = db.query(ImageRow).filter(ImageRow.id == image_id).first()
    if row is None:
        raise fastapi.HTTPException(status_code=404, detail="Image not found")
    return row
