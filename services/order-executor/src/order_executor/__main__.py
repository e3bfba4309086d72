from chassis.service import serve

from order_executor.app import create_app

if __name__ == "__main__":
    serve(create_app)
