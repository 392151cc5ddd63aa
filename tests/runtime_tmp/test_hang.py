import time
def test_hang(postgres_url):
    time.sleep(30)
